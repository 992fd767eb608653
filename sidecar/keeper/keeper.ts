import { randomUUID } from 'node:crypto';
import type { NamesOwner, SidecarEvent } from '../events/event';
import type { Gate } from '../leases/gate';
import { isDue, type EndedLease, type EndReason, type Lease } from '../leases/lease';
import type { Recovered } from '../journal/journal';
import { BootNotes } from './boot-notes';
import { LockStore, type LockStoreOptions } from './lock-store';
import { LeaseBook } from './lease-book';
import { causeOfLoss, whenCauseShows } from './loss';
import { newLease, renewedLease, revive } from '../leases/grant';
import type { Refusal } from '../leases/refusal';
import { refused, type AcquireRequest, type Outcome, type Precondition, type Release } from '../leases/request';
import { unmetPrecondition } from './precondition';
import { closedGate, nameInUse, STOPPING, tooManyLeases } from './refusals';
import { isSupervisors, ownerOfNames, statusOf, updatingRefusal, type LockStatus } from './status';
import { WaitingRoom } from './waiting-room';

export interface KeeperOptions extends LockStoreOptions {
  readonly defaultTtlMs: number;
  /** Live leases of apps at most. */
  readonly maxLeases: number;
  readonly restartGraceMs: number;
}

/**
 * The middle: leases x gates x lock -> one decision. The lock is on disk exactly while a lease is live. Every decision
 * is made, written down and carried out in one turn of the event loop, so nothing can come in between.
 */
export class Keeper {
  /** What a next process of this boot has to know beside the leases. */
  readonly notes: BootNotes;
  readonly #store: LockStore;
  readonly #book: LeaseBook;
  readonly #waitingRoom: WaitingRoom;
  readonly #gates: Gate[] = [];
  #namesOwner: NamesOwner = 'free';
  #heldSinceMs: number | null = null;
  #isStopping = false;
  /** Whether the leases of a former process had been taken up when we were stopped. */
  #wasOpen = false;

  constructor(private readonly options: KeeperOptions) {
    this.#store = new LockStore(options, {
      onOpen: (recovered) => {
        this.#recover(recovered);
      },
      leases: () => this.#book.all(),
      header: () => this.notes.header,
    });
    this.notes = new BootNotes(options.timeline, () => { this.#store.recordBoot(); });
    this.#waitingRoom = new WaitingRoom(options.clock, (request) => this.acquire(request), options.emit);
    this.#book = new LeaseBook(options.clock, this.#store, () => { this.#endDue(); });
  }

  /** From now on this gate is asked, too, before a lease is granted or renewed. */
  addGate(gate: Gate): void {
    this.#gates.push(gate);
  }

  onEvent({ type }: SidecarEvent): void {
    if (type === 'gate-opened') this.#waitingRoom.call();
  }

  /** Since when the lock has been held without a break, null while it is not. */
  get heldSinceMs(): number | null {
    return this.#heldSinceMs;
  }

  get leaseCount(): number {
    return this.leases().length;
  }

  /**
   * Opens lock and journal and takes up what a former process has left.
   * @returns `in-use` if another sidecar serves the directory; `failed` if it cannot be opened now, which is tried again
   */
  open(): 'open' | 'in-use' | 'failed' {
    return this.#store.open();
  }

  /** Grants a lease, or renews or takes up a live one of that name, now or not at all. */
  acquire(request: AcquireRequest): Outcome {
    const nowMs = this.#endDue();
    const live = this.#book.get(request.name);
    const unmet = this.#unmet(request, live, nowMs);
    if (unmet !== null) return refused(unmet);
    return live === undefined ? this.#grant(request, nowMs) : this.#renew(live, request, nowMs);
  }

  /**
   * The same, but waits for a lock that cannot be had now, in order of arrival.
   * @returns null if the outcome has been delivered; or drops the request that waits: then nothing is granted or delivered
   */
  acquireWithin(request: AcquireRequest, waitMs: number, deliver: (outcome: Outcome) => void): (() => void) | null {
    const isForNew = (request.only === undefined || request.only === 'new') && this.get(request.name) === undefined;
    return this.#waitingRoom.admit(request, isForNew, waitMs, deliver);
  }

  /**
   * Ends a lease. Undefined if there is none of that name, or if the live one has another id.
   * @param id of the lease that is meant, where another may have its name by now
   */
  end(name: string, reason: EndReason, id?: string): EndedLease | undefined {
    const nowMs = this.#endDue();
    const live = this.#book.get(name);
    if (live === undefined || this.#isStopping || (id !== undefined && live.id !== id)) return undefined;
    return this.#end(live, reason, nowMs);
  }

  /** Ends a lease because its holder, or somebody else who may, asks for it. */
  release(name: string, only?: Precondition): Release {
    const nowMs = this.#endDue();
    const live = this.#book.get(name);
    if (live === undefined) {
      const refusal = this.whyNotKnown();
      return refusal === null ? { kind: 'none' } : { kind: 'refused', refusal };
    }
    const refusal = this.#unmet({ name, only }, live, nowMs) ?? (this.#isStopping ? STOPPING : null);
    return refusal === null ? { kind: 'ended', lease: this.#end(live, 'released', nowMs) } : { kind: 'refused', refusal };
  }

  /** Why it cannot be said now that there is no lease but the known ones; null if it can. */
  whyNotKnown(): Refusal | null {
    if (this.#isStopping) return this.#wasOpen ? null : STOPPING;
    return this.#store.isOpen ? null : this.#store.whyNot();
  }

  get(name: string): Lease | undefined {
    const lease = this.#book.get(name);
    return lease !== undefined && !isDue(lease, this.#nowMs()) ? lease : undefined;
  }

  getEnded(name: string): EndedLease | undefined {
    return this.#book.getEnded(name, this.#nowMs());
  }

  /** Whether the lock's files belong to another user than the one as whom the process was started. */
  get isLockUsers(): boolean {
    return this.#store.isLockUsers;
  }

  /** Live leases, oldest first. */
  leases(): Lease[] {
    const nowMs = this.#nowMs();
    return this.#book.all().filter((lease) => !isDue(lease, nowMs));
  }

  /** Whether the Supervisor or Helios has the lock: an update is being applied. */
  get isUpdating(): boolean {
    return isSupervisors({ paths: this.#store.inspect() });
  }

  /**
   * Catches up with time and disk: opens what could not be opened, ends what is due, notices that the lock was taken away,
   * and finds the directory again if it is free.
   */
  tick(): void {
    const nowMs = this.#endDue();
    if (!this.#store.isOpen || this.#isStopping) return;
    if (this.#heldSinceMs !== null && !this.#store.isHeld()) this.#lose(nowMs);
    if (this.#heldSinceMs === null) this.#store.reopenIfMoved();
  }

  /** Looks whether all is as it should be: to be called when something has happened in the lock directory. */
  look(): void {
    this.tick();
    this.#tellNamesOwner();
    this.#waitingRoom.call();
    this.options.emit({ type: 'directory-looked-at' });
  }

  /** The lock as it is now. */
  status(): LockStatus {
    return statusOf({
      heldSinceMs: this.#heldSinceMs,
      isFlocked: this.#heldSinceMs !== null && this.#store.isFlocked(),
      paths: this.#store.inspect(),
      leases: this.leases(),
      problem: this.#store.whyNot(),
      gate: this.#gateRefusal(null, this.#nowMs()),
    });
  }

  /** Ends the service. With `release` the live leases end; otherwise the lock stays for them, to be recovered. */
  stop(release: boolean): void {
    const nowMs = this.#endDue();
    if (release) for (const lease of this.leases()) this.#end(lease, 'stopped', nowMs);
    this.#isStopping = true;
    this.#wasOpen = this.#store.isOpen;
    this.#book.stop();
    this.#waitingRoom.close();
    this.options.emit({ type: 'stopping' });
  }

  /** Lets go of the files; the lock stays on disk for the leases that are still live. */
  close(): void {
    this.#store.close(this.#book.size > 0);
  }

  /**
   * Ends what is due. Every decision begins here, so that a late timer, after a SIGSTOP or a suspend, cannot make a dead
   * lease live; nor is anything decided before the leases of a former process have been taken over, if that can be done.
   */
  #endDue(): number {
    if (!this.#isStopping) this.#store.openIfClosed();
    const nowMs = this.#nowMs();
    if (this.#isStopping) return nowMs;
    for (const due of this.#book.due(nowMs)) {
      // Somebody who was told of the end of another may have ended it already.
      if (this.#book.get(due.name) === due) this.#end(due, due.kind === 'connection' ? 'disconnected' : 'expired', nowMs);
    }
    return nowMs;
  }

  #nowMs(): number {
    return this.options.clock.monotonicMs();
  }

  #unmet(request: Pick<AcquireRequest, 'name' | 'only'>, live: Lease | undefined, nowMs: number): Refusal | null {
    if (request.only === undefined) return null;
    return unmetPrecondition(request, { live, tombstone: this.#book.getEnded(request.name, nowMs), whyNotKnown: this.whyNotKnown() });
  }

  #grant(request: AcquireRequest, nowMs: number): Outcome {
    if (this.#isStopping) return refused(STOPPING);
    // Adding a lease to a lock that somebody has just taken away would acknowledge what is not on disk.
    if (this.#heldSinceMs !== null && !this.#store.isHeld()) this.#lose(nowMs);
    this.#store.retryFlock();
    const refusal = this.#gateRefusal(request.name, nowMs) ?? this.#limitRefusal(request) ?? this.#store.whyNot();
    if (refusal !== null) return refused((this.#heldSinceMs === null ? updatingRefusal(this.#store.inspect()) : null) ?? refusal);
    const lease = newLease(request, nowMs, this.options.defaultTtlMs, randomUUID);
    const isFirst = this.#book.size === 0;
    const blocked = isFirst ? this.#store.take(lease) : null;
    // A directory that has come to the path may have leases of its own: then everything is to be decided anew.
    if (blocked !== null && this.#store.reopenIfMoved()) return this.acquire(request);
    if (blocked !== null) return refused(blocked);
    const unrecorded = this.#store.record(lease);
    if (unrecorded !== null) {
      if (isFirst) this.#store.giveBack();
      return refused(unrecorded);
    }
    this.#book.keep(lease);
    if (isFirst) this.#heldSinceMs = nowMs;
    else this.#book.show();
    this.options.emit({ type: 'lease-acquired', lease, recovered: false, lock: isFirst ? 'taken' : 'held' });
    return { kind: 'granted', lease, isNew: true };
  }

  #renew(live: Lease, request: AcquireRequest, nowMs: number): Outcome {
    const lease = renewedLease(live, request, nowMs, randomUUID);
    if (lease === null) return refused(nameInUse(live));
    if (this.#isStopping) return refused(STOPPING);
    if (!this.#store.isHeld()) {
      this.#lose(nowMs);
      return this.acquire(request);
    }
    this.#store.retryFlock();
    const refusal = this.#gateRefusal(live.name, nowMs) ?? this.#store.whyNotFlocked();
    if (refusal !== null) return refused(refusal);
    const unrecorded = this.#store.record(lease);
    if (unrecorded !== null) return refused(unrecorded);
    this.#book.keep(lease);
    if (lease.reason !== live.reason) this.#book.show();
    this.options.emit({ type: 'lease-renewed', lease });
    return { kind: 'granted', lease, isNew: false };
  }

  /** Journal first, then the file: after a crash in between the lock is seen to have no lease, and is given back. */
  #end(lease: Lease, reason: EndReason, nowMs: number): EndedLease {
    const ended = this.#book.bury(lease, reason, nowMs);
    const isLast = this.#book.size === 0;
    if (isLast) {
      this.#store.giveBack();
      this.#nowFree(nowMs);
    } else {
      this.#book.show();
    }
    this.options.emit({ type: 'lease-ended', lease: ended, lock: isLast ? 'released' : 'held' });
    return ended;
  }

  /** Lost means lost: the leases end, and the lock is not taken back, or a forced update would fail. */
  #lose(nowMs: number): void {
    const cause = causeOfLoss(this.#store.inspect());
    this.notes.recordLoss(nowMs);
    const ended = this.#book.all().map((lease) => this.#book.bury(lease, 'lost', nowMs));
    this.#store.giveBack();
    this.#nowFree(nowMs);
    for (const lease of ended) this.options.emit({ type: 'lease-ended', lease, lock: 'lost' });
    const holders = ended.map(({ name }) => name);
    whenCauseShows(cause, () => this.#store.inspect(), (shown) => {
      this.options.emit({ type: 'lock-lost', cause: shown, holders, atMs: nowMs });
    });
  }

  #recover(recovered: Recovered): void {
    this.#takeUp(recovered);
    this.#tellNamesOwner();
    this.options.emit({ type: 'store-opened' });
  }

  #takeUp({ header, live, ended }: Recovered): void {
    const nowMs = this.#nowMs();
    this.notes.resume(header);
    for (const lease of ended) this.#book.remember(lease);
    if (live.length === 0) {
      this.#store.giveBack();
      return;
    }
    this.#heldSinceMs = Math.min(...live.map(({ sinceMs }) => sinceMs));
    for (const lease of live) this.#book.keep(lease);
    // Those whose time was up meanwhile have expired, whatever has become of the lock since.
    this.#endDue();
    if (this.#book.size > 0 && !this.#store.isHeld()) this.#lose(nowMs);
    for (const lease of this.#book.all()) {
      const revived = revive(lease, nowMs, this.options.restartGraceMs);
      if (revived !== lease) this.#store.record(revived);
      this.#book.keep(revived);
      this.options.emit({ type: 'lease-acquired', lease: revived, recovered: true, lock: 'held' });
    }
    this.#book.show();
  }

  #tellNamesOwner(): void {
    const from = this.#namesOwner;
    const to = this.#heldSinceMs === null ? ownerOfNames(this.#store.inspect()) : 'ours';
    if (to === null || to === from) return;
    this.#namesOwner = to;
    this.options.emit({ type: 'lock-turned', from, to });
  }

  #nowFree(nowMs: number): void {
    const sinceMs = this.#heldSinceMs;
    this.#heldSinceMs = null;
    if (sinceMs !== null) this.options.emit({ type: 'lock-released', heldMs: nowMs - sinceMs });
  }

  #gateRefusal(name: string | null, nowMs: number): Refusal | null {
    return closedGate(this.#gates, { nowMs, name, lostAtMs: this.notes.lostAtMs });
  }

  #limitRefusal({ kind }: AcquireRequest): Refusal | null {
    const { maxLeases } = this.options;
    return kind !== 'builtin' && this.#book.size >= maxLeases ? tooManyLeases(maxLeases) : null;
  }
}
