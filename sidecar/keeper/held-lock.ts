import type { Clock } from '../../server/clock';
import type { KeeperEvent, NamesOwner } from '../events/event';
import type { Recovered } from '../journal/journal';
import { recoveredLease } from '../leases/grant';
import type { EndedLease, EndReason, Lease } from '../leases/lease';
import type { Refusal } from '../leases/refusal-codes';
import type { BootNotes } from './boot-notes';
import type { LeaseBook } from './lease-book';
import type { LockStore } from './lock-store';
import { causeOfLoss, whenCauseShows } from './loss';
import { ownerOfNames } from './status';

export interface HeldLockOptions {
  readonly clock: Clock;
  readonly restartGraceMs: number;
  readonly emit: (event: KeeperEvent) => void;
}

/**
 * Keeps leases, journal and lock in step: the lock is on disk exactly while a lease is live. Each step is done in an order
 * in which the process may be killed at any point: a lease that was acknowledged is then recovered, and no other is.
 */
export class HeldLock {
  #sinceMs: number | null = null;
  #namesOwner: NamesOwner = 'free';

  constructor(
    private readonly options: HeldLockOptions,
    private readonly store: LockStore,
    private readonly book: LeaseBook,
    private readonly notes: BootNotes,
  ) {}

  /** Since when the lock has been held without a break, null while it is not. */
  get sinceMs(): number | null {
    return this.#sinceMs;
  }

  /** Adds a lease; the first one takes the lock. The lease is written down before anybody is told. Returns why it failed. */
  add(lease: Lease): Refusal | null {
    const isFirst = this.book.size === 0;
    const blocked = isFirst ? this.store.take(lease) : null;
    if (blocked !== null) return blocked;
    const unrecorded = this.store.record(lease);
    if (unrecorded !== null) {
      if (isFirst) this.store.giveBack();
      return unrecorded;
    }
    this.book.put(lease);
    if (isFirst) this.#sinceMs = lease.sinceMs;
    else this.book.describe();
    this.options.emit({ type: 'lease-acquired', lease, recovered: false, lock: isFirst ? 'taken' : 'held' });
    return null;
  }

  /** Puts a renewed lease in the place of the live one. Returns why it failed. */
  renew(lease: Lease): Refusal | null {
    const unrecorded = this.store.record(lease);
    if (unrecorded !== null) return unrecorded;
    const isAsDescribed = this.book.get(lease.name)?.reason === lease.reason;
    this.book.put(lease);
    if (!isAsDescribed) this.book.describe();
    this.options.emit({ type: 'lease-renewed', lease });
    return null;
  }

  /** Journal first, then the file: after a crash in between, the lock is found to have no lease, and is given back. */
  end(lease: Lease, reason: EndReason, nowMs: number): EndedLease {
    const ended = this.book.end(lease, reason, nowMs);
    const isLast = this.book.size === 0;
    if (isLast) this.#giveBack(nowMs);
    else this.book.describe();
    this.options.emit({ type: 'lease-ended', lease: ended, lock: isLast ? 'released' : 'held' });
    return ended;
  }

  /** Ends the leases whose time is up. */
  endDue(nowMs: number): void {
    for (const due of this.book.due(nowMs)) {
      // A listener that was told of the end of another lease may have ended this one already.
      if (this.book.get(due.name) === due) this.end(due, due.kind === 'connection' ? 'disconnected' : 'expired', nowMs);
    }
  }

  /** Notices that the lock was taken away. */
  loseIfTakenAway(nowMs: number): void {
    if (this.#sinceMs !== null && !this.store.isHeld()) this.#lose(nowMs);
  }

  /** Recovers the leases that a former process has left. */
  recover({ header, live, ended }: Recovered, nowMs: number): void {
    this.notes.resume(header);
    for (const lease of ended) this.book.rememberEnd(lease);
    if (live.length === 0) {
      this.store.giveBack();
      return;
    }
    this.#sinceMs = Math.min(...live.map(({ sinceMs }) => sinceMs));
    for (const lease of live) this.book.put(lease);
    // A lease whose time was up meanwhile has expired, even if the lock has been lost since.
    this.endDue(nowMs);
    this.loseIfTakenAway(nowMs);
    for (const lease of this.book.all()) {
      const recovered = recoveredLease(lease, nowMs, this.options.restartGraceMs);
      if (recovered !== lease) this.store.record(recovered);
      this.book.put(recovered);
      this.options.emit({ type: 'lease-acquired', lease: recovered, recovered: true, lock: 'held' });
    }
    this.book.describe();
  }

  /** Reports who has the names of the lock, if that has changed since the last look. */
  reportNamesOwner(): void {
    const from = this.#namesOwner;
    const to = this.#sinceMs === null ? ownerOfNames(this.store.inspect()) : 'ours';
    if (to === null || to === from) return;
    this.#namesOwner = to;
    this.options.emit({ type: 'lock-turned', from, to });
  }

  /** Lost means lost: the leases end, and the lock is not taken back, or a forced update would fail. */
  #lose(nowMs: number): void {
    const cause = causeOfLoss(this.store.inspect());
    this.notes.recordLoss(nowMs);
    const ended = this.book.all().map((lease) => this.book.end(lease, 'lost', nowMs));
    this.#giveBack(nowMs);
    for (const lease of ended) this.options.emit({ type: 'lease-ended', lease, lock: 'lost' });
    const holders = ended.map(({ name }) => name);
    whenCauseShows(cause, () => this.store.inspect(), (shown) => {
      this.options.emit({ type: 'lock-lost', cause: shown, holders, atMs: nowMs });
    });
  }

  #giveBack(nowMs: number): void {
    const sinceMs = this.#sinceMs;
    this.store.giveBack();
    this.#sinceMs = null;
    if (sinceMs !== null) this.options.emit({ type: 'lock-released', heldMs: nowMs - sinceMs });
  }
}
