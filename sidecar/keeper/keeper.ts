import { randomUUID } from 'node:crypto';
import type { Gate } from '../leases/gate';
import type { EndedLease, EndReason, Lease } from '../leases/lease';
import type { Recovered } from '../lock/journal';
import { Custody, type CustodyOptions } from './custody';
import { LeaseBook } from './lease-book';
import { causeOfLoss, whenCauseShows } from './loss';
import { newLease, renewedLease } from '../leases/grant';
import type { UpdateNote } from '../leases/waited';
import { isPassing, refused, type AcquireRequest, type Outcome, type Precondition, type Refusal, type Release } from '../leases/request';
import { unmetPrecondition } from './precondition';
import { revive } from './recovery';
import { closedGate, nameInUse, STOPPING, tooManyLeases } from './refusals';
import { statusOf, updatingRefusal, type LockStatus } from './status';
import { WaitingRoom } from './waiting-room';

export interface KeeperOptions extends CustodyOptions {
  readonly gates: readonly Gate[];
  readonly defaultTtlMs: number;
  /** Live leases of apps at most. */
  readonly maxLeases: number;
  readonly restartGraceMs: number;
  /** Called whenever lock and journal have been opened and the leases of a former process taken up. */
  readonly onOpen: () => void;
}

/**
 * The middle: leases x gates x lock -> one decision. The lock is on disk exactly while a lease is live. Every decision
 * is made, written down and carried out in one turn of the event loop, so nothing can come in between.
 */
export class Keeper {
  readonly #custody: Custody;
  readonly #book: LeaseBook;
  readonly #waitingRoom: WaitingRoom;
  #heldSinceMs: number | null = null;
  #lostAtMs: number | null = null;
  #isStartOver = false;
  #updateNote: UpdateNote | null = null;
  #isStopping = false;
  /** Whether the leases of a former process had been taken up when we were stopped. */
  #wasOpen = false;

  constructor(private readonly options: KeeperOptions) {
    this.#custody = new Custody(options, {
      onOpen: (recovered) => {
        this.#takeUp(recovered);
        options.onOpen();
      },
      leases: () => this.#book.all(),
      header: () => ({
        lostAtMs: this.#lostAtMs,
        wallOffsetMs: options.timeline.offsetMs,
        isStartOver: this.#isStartOver,
        update: this.#updateNote,
      }),
    });
    this.#waitingRoom = new WaitingRoom(options.clock, (request) => this.acquire(request));
    this.#book = new LeaseBook(options.clock, this.#custody, () => {
      this.#settle();
    });
  }

  /** Whether the hold of the start has been taken, or was not wanted, since the machine booted. */
  get isStartOver(): boolean {
    return this.#isStartOver;
  }

  startIsOver(): void {
    this.#isStartOver = true;
    this.#custody.recordBoot();
  }

  /** What is known of updates, and is to be known by a next process too. */
  get updateNote(): UpdateNote | null {
    return this.#updateNote;
  }

  recordUpdate(note: UpdateNote | null): void {
    this.#updateNote = note;
    this.#custody.recordBoot();
  }

  /** Since when the lock has been held without a break, null while it is not. */
  get heldSinceMs(): number | null {
    return this.#heldSinceMs;
  }

  get leaseCount(): number {
    return this.#book.size;
  }

  /**
   * Opens lock and journal and takes up what a former process has left.
   * @returns `in-use` if another sidecar serves the directory; `failed` if it cannot be opened now, which is tried again
   */
  open(): 'open' | 'in-use' | 'failed' {
    return this.#custody.open();
  }

  /** Grants a lease, or renews or takes up a live one of that name, now or not at all. */
  acquire(request: AcquireRequest): Outcome {
    const nowMs = this.#settle();
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
    const deliverAndTell = (outcome: Outcome): void => {
      if (outcome.kind === 'refused') {
        this.options.emit({ type: 'refused', name: request.name, refusal: outcome.refusal });
      }
      deliver(outcome);
    };
    // Who comes later is not served before those who wait, even if the lock is free by now.
    const isForNew = (request.only === undefined || request.only === 'new') && this.get(request.name) === undefined;
    const ahead = waitMs > 0 && isForNew ? this.#waitingRoom.refusal : null;
    const outcome = ahead === null ? this.acquire(request) : refused(ahead);
    if (ahead !== null) this.#waitingRoom.call();
    if (outcome.kind === 'refused' && isPassing(outcome.refusal) && waitMs > 0) {
      const remove = this.#waitingRoom.add(request, outcome.refusal, waitMs, deliverAndTell);
      this.options.emit({ type: 'request-waits', name: request.name, refusal: outcome.refusal });
      return () => {
        if (remove()) this.options.emit({ type: 'request-dropped', name: request.name });
      };
    }
    deliverAndTell(outcome);
    return null;
  }

  /**
   * Ends a lease. Undefined if there is none of that name, or if the live one has another id.
   * @param id of the lease that is meant, where another may have its name by now
   */
  end(name: string, reason: EndReason, id?: string): EndedLease | undefined {
    const nowMs = this.#settle();
    const live = this.#book.get(name);
    if (live === undefined || this.#isStopping || (id !== undefined && live.id !== id)) return undefined;
    return this.#end(live, reason, nowMs);
  }

  /** Ends a lease because its holder, or somebody else who may, asks for it. */
  release(name: string, only?: Precondition): Release {
    const nowMs = this.#settle();
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
    return this.#custody.isOpen ? null : this.#custody.whyNot();
  }

  get(name: string): Lease | undefined {
    this.#settle();
    return this.#book.get(name);
  }

  getEnded(name: string): EndedLease | undefined {
    return this.#book.getEnded(name, this.#settle());
  }

  /** Whether the lock's files belong to another user than the one as whom the process was started. */
  get isOwners(): boolean {
    return this.#custody.isOwners;
  }

  /** Live leases, oldest first. */
  leases(): Lease[] {
    this.#settle();
    return this.#book.all();
  }

  /** Looks whether all is as it should be: to be called when something has happened in the lock directory. */
  check(): void {
    this.#verify(this.#settle());
    this.#waitingRoom.call();
  }

  status(): LockStatus {
    const nowMs = this.#settle();
    this.#verify(nowMs);
    return statusOf({
      heldSinceMs: this.#heldSinceMs,
      isFlocked: this.#heldSinceMs !== null && this.#custody.isFlocked(),
      paths: this.#custody.inspect(),
      leases: this.#book.all(),
      problem: this.#custody.whyNot(),
      gate: this.#gateRefusal(null, nowMs),
    });
  }

  /** Ends the service. With `release` the live leases end; otherwise the lock stays for them, to be recovered. */
  stop(release: boolean): void {
    const nowMs = this.#settle();
    if (release) for (const lease of this.leases()) this.#end(lease, 'stopped', nowMs);
    this.#isStopping = true;
    this.#wasOpen = this.#custody.isOpen;
    this.#book.stop();
    this.#waitingRoom.close();
    this.#custody.close(this.#book.size > 0);
  }

  /**
   * Ends what is due. Everything that the keeper is asked begins here, so that a late timer, after a SIGSTOP or a
   * suspend, cannot make a dead lease live. Nor is anything said of leases, or decided, before those of a former process
   * have been taken up, if that can be done by now.
   */
  #settle(): number {
    if (!this.#isStopping) this.#custody.openIfClosed();
    const nowMs = this.options.clock.monotonicMs();
    if (this.#isStopping) return nowMs;
    for (let due = this.#book.due(nowMs); due !== undefined; due = this.#book.due(nowMs)) {
      this.#end(due, due.kind === 'connection' ? 'disconnected' : 'expired', nowMs);
    }
    return nowMs;
  }

  #unmet(request: Pick<AcquireRequest, 'name' | 'only'>, live: Lease | undefined, nowMs: number): Refusal | null {
    if (request.only === undefined) return null;
    return unmetPrecondition(request, { live, tombstone: this.#book.getEnded(request.name, nowMs), whyNotKnown: this.whyNotKnown() });
  }

  #grant(request: AcquireRequest, nowMs: number): Outcome {
    if (this.#isStopping) return refused(STOPPING);
    // Adding a lease to a lock that somebody has just taken away would acknowledge what is not on disk.
    if (this.#heldSinceMs !== null && !this.#custody.isHeld()) this.#lose(nowMs);
    const refusal = this.#gateRefusal(request.name, nowMs) ?? this.#limitRefusal(request) ?? this.#custody.whyNot();
    if (refusal !== null) return refused((this.#heldSinceMs === null ? updatingRefusal(this.#custody.inspect()) : null) ?? refusal);
    const lease = newLease(request, nowMs, this.options.defaultTtlMs, randomUUID);
    const isFirst = this.#book.size === 0;
    const blocked = isFirst ? this.#custody.take(lease) : null;
    // A directory that has come to the path may have leases of its own: then everything is to be decided anew.
    if (blocked !== null && this.#custody.reopenIfMoved()) return this.acquire(request);
    if (blocked !== null) return refused(blocked);
    const unrecorded = this.#custody.record(lease);
    if (unrecorded !== null) {
      if (isFirst) this.#custody.giveBack();
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
    if (!this.#custody.isHeld()) {
      this.#lose(nowMs);
      return this.acquire(request);
    }
    const refusal = this.#gateRefusal(live.name, nowMs) ?? this.#custody.whyNotFlocked();
    if (refusal !== null) return refused(refusal);
    const unrecorded = this.#custody.record(lease);
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
      this.#custody.giveBack();
      this.#nowFree(nowMs);
    } else {
      this.#book.show();
    }
    this.options.emit({ type: 'lease-ended', lease: ended, lock: isLast ? 'released' : 'held' });
    return ended;
  }

  /** Lost means lost: the leases end, and the lock is not taken back, or a forced update would fail. */
  #lose(nowMs: number): void {
    const cause = causeOfLoss(this.#custody.inspect());
    this.#lostAtMs = nowMs;
    this.#custody.recordBoot();
    const ended = this.#book.all().map((lease) => this.#book.bury(lease, 'lost', nowMs));
    this.#custody.giveBack();
    this.#nowFree(nowMs);
    for (const lease of ended) this.options.emit({ type: 'lease-ended', lease, lock: 'lost' });
    const holders = ended.map(({ name }) => name);
    whenCauseShows(cause, () => this.#custody.inspect(), (shown) => {
      this.options.emit({ type: 'lock-lost', cause: shown, holders, atMs: nowMs });
    });
  }

  #takeUp({ header, live, ended }: Recovered): void {
    const nowMs = this.options.clock.monotonicMs();
    this.#isStartOver ||= header.isStartOver;
    this.#updateNote ??= header.update ?? null;
    this.#lostAtMs = header.lostAtMs ?? this.#lostAtMs;
    if (header.wallOffsetMs !== null) this.options.timeline.resume(header.wallOffsetMs);
    this.#custody.recordBoot();
    for (const lease of ended) this.#book.remember(lease);
    if (live.length === 0) {
      this.#custody.giveBack();
      return;
    }
    this.#heldSinceMs = Math.min(...live.map(({ sinceMs }) => sinceMs));
    for (const lease of live) this.#book.keep(lease);
    // Those whose time was up meanwhile have expired, whatever has become of the lock since.
    this.#settle();
    if (this.#book.size > 0 && !this.#custody.isHeld()) this.#lose(nowMs);
    for (const lease of this.#book.all()) {
      const revived = revive(lease, nowMs, this.options.restartGraceMs);
      if (revived !== lease) this.#custody.record(revived);
      this.#book.keep(revived);
      this.options.emit({ type: 'lease-acquired', lease: revived, recovered: true, lock: 'held' });
    }
    this.#book.show();
  }

  /** Ends what is not so on disk any more, and finds the directory again if it is free. */
  #verify(nowMs: number): void {
    if (!this.#custody.isOpen) return;
    if (this.#heldSinceMs !== null && !this.#custody.isHeld()) this.#lose(nowMs);
    if (this.#heldSinceMs === null) this.#custody.reopenIfMoved();
  }

  #nowFree(nowMs: number): void {
    const sinceMs = this.#heldSinceMs;
    this.#heldSinceMs = null;
    if (sinceMs !== null) this.options.emit({ type: 'lock-released', heldMs: nowMs - sinceMs });
  }

  #gateRefusal(name: string | null, nowMs: number): Refusal | null {
    return closedGate(this.options.gates, { nowMs, name, lostAtMs: this.#lostAtMs });
  }

  #limitRefusal({ kind }: AcquireRequest): Refusal | null {
    const { maxLeases } = this.options;
    return kind !== 'builtin' && this.#book.size >= maxLeases ? tooManyLeases(maxLeases) : null;
  }
}
