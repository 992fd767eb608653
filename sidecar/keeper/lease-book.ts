import type { Clock } from '../clock';
import { endLease, type EndedLease, type EndReason, type Lease } from '../leases/lease';
import { LeaseTable } from '../leases/lease-table';
import { Tombstones } from '../leases/tombstones';
import type { LockStore } from './lock-store';
import { ExpiryTimer } from './expiry-timer';

/**
 * The leases, with all that hangs on each of them: its end, the timer for that, its line in the journal, and what the lock
 * file tells people. Decides nothing.
 */
export class LeaseBook {
  readonly #table = new LeaseTable();
  readonly #tombstones = new Tombstones();
  readonly #expiryTimer: ExpiryTimer;

  /** @param onDue called when the end of a lease has come */
  constructor(
    clock: Clock,
    private readonly store: LockStore,
    onDue: () => void,
  ) {
    this.#expiryTimer = new ExpiryTimer(clock, () => {
      onDue();
      this.#expiryTimer.atLatest(this.#table.nextEndMs());
    });
  }

  get size(): number {
    return this.#table.size;
  }

  /** Live leases, oldest first. */
  all(): Lease[] {
    return [...this.#table.values()];
  }

  get(name: string): Lease | undefined {
    return this.#table.get(name);
  }

  getEnded(name: string, nowMs: number): EndedLease | undefined {
    return this.#tombstones.get(name, nowMs);
  }

  /** The leases whose end has come, in the order of their ends. */
  due(nowMs: number): Lease[] {
    return this.#table.due(nowMs);
  }

  /** Enters a lease that has been written down, or replaces the one of its name. */
  keep(lease: Lease): void {
    this.#table.set(lease);
    this.#expiryTimer.atLatest(lease.endsAtMs);
  }

  /** Takes a lease out, and writes down how it ended. */
  bury(lease: Lease, reason: EndReason, nowMs: number): EndedLease {
    // One that was due ended then, even if we come to it later.
    const ended = endLease(lease, reason, Math.min(nowMs, lease.endsAtMs ?? nowMs));
    this.#table.delete(lease.name);
    this.#tombstones.add(ended);
    this.store.recordEnd(ended);
    return ended;
  }

  /** Remembers the end of a lease of a former process. */
  remember(ended: EndedLease): void {
    this.#tombstones.add(ended);
  }

  /** Shows people who holds the lock. */
  show(): void {
    if (this.size > 0) this.store.describe(this.#table.values(), this.size);
  }

  stop(): void {
    this.#expiryTimer.stop();
  }
}
