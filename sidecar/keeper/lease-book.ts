import type { Clock } from '../../server/clock';
import { endLease, type EndedLease, type EndReason, type Lease } from '../leases/lease';
import { LeaseTable } from '../leases/lease-table';
import { Tombstones } from '../leases/tombstones';
import type { LockStore } from './lock-store';
import { ExpiryTimer } from './expiry-timer';

/**
 * The live leases and those that have ended, with the timer of the next end, their ends in the journal, and the text in the
 * lock file. Decides nothing.
 */
export class LeaseBook {
  readonly #table = new LeaseTable();
  readonly #tombstones = new Tombstones();
  readonly #expiryTimer: ExpiryTimer;

  /** @param onDue called when the time of a lease is up */
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
  put(lease: Lease): void {
    this.#table.set(lease);
    this.#expiryTimer.atLatest(lease.endsAtMs);
  }

  /** Takes a lease out, and writes down how it ended. */
  end(lease: Lease, reason: EndReason, nowMs: number): EndedLease {
    // A lease that was due ended then, even if we notice it later.
    const ended = endLease(lease, reason, Math.min(nowMs, lease.endsAtMs ?? nowMs));
    this.#table.delete(lease.name);
    this.#tombstones.add(ended);
    this.store.recordEnd(ended);
    return ended;
  }

  /** Remembers the end of a lease of a former process. */
  rememberEnd(ended: EndedLease): void {
    this.#tombstones.add(ended);
  }

  /** Writes into the lock file, for people, who holds the lock. */
  describe(): void {
    if (this.size > 0) this.store.describe(this.#table.values(), this.size);
  }

  stop(): void {
    this.#expiryTimer.stop();
  }
}
