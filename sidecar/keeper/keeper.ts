import type { SidecarEvent } from '../events/event';
import { closedGate, type Gate } from '../leases/gate';
import { isDue, type EndedLease, type EndReason, type Lease } from '../leases/lease';
import type { Refusal } from '../leases/refusal-codes';
import { refused, type AcquireRequest, type Outcome, type Precondition, type Release } from '../leases/request';
import { BootNotes } from './boot-notes';
import { decide, unmetPrecondition, type Limits, type NameFacts } from './decision';
import { HeldLock, type HeldLockOptions } from './held-lock';
import { LeftBehind, type LeftBehindOptions } from './left-behind';
import { LeaseBook } from './lease-book';
import { LockStore, type LockStoreOptions } from './lock-store';
import { STOPPING } from './refusal-texts';
import { isSupervisors, statusOf, type LockStatus } from './status';
import { WaitingRoom } from './waiting-room';

export interface KeeperOptions extends LockStoreOptions, HeldLockOptions, LeftBehindOptions, Limits {}

/**
 * The middle: leases x gates x lock -> one decision. Every decision is made, written down and carried out in one turn of the
 * event loop, so nothing can come in between.
 */
export class Keeper {
  /** What the next process of this boot has to know beside the leases. */
  readonly notes: BootNotes;
  readonly #store: LockStore;
  readonly #leftBehind: LeftBehind;
  readonly #book: LeaseBook;
  readonly #lock: HeldLock;
  readonly #waitingRoom: WaitingRoom;
  readonly #gates: Gate[] = [];
  #isStopping = false;
  /** Whether lock and journal were open when we were stopped. */
  #wasOpen = false;

  constructor(private readonly options: KeeperOptions) {
    this.#leftBehind = new LeftBehind(options, () => { this.look(); });
    this.#store = new LockStore(options, {
      onOpen: (recovered) => {
        this.#lock.recover(recovered, this.#nowMs());
        this.#leftBehind.look(this.#store.inspect());
        this.#lock.reportNamesOwner();
        options.emit({ type: 'store-opened' });
      },
      leases: () => this.#book.all(),
      header: () => this.notes.header,
    }, this.#leftBehind);
    this.notes = new BootNotes(options.timeline, () => { this.#store.recordNotes(); });
    this.#book = new LeaseBook(options.clock, this.#store, () => { this.#endDue(); });
    this.#lock = new HeldLock(options, this.#store, this.#book, this.notes);
    this.#waitingRoom = new WaitingRoom(options.clock, (request) => this.acquire(request), options.emit);
  }

  /** From now on this gate is asked, too, before a lease is granted or renewed. */
  addGate(gate: Gate): void {
    this.#gates.push(gate);
  }

  onEvent({ type }: SidecarEvent): void {
    if (type === 'gate-opened') this.#waitingRoom.call();
  }

  /**
   * Opens lock and journal and recovers the leases of a former process.
   * @returns `in-use` if another sidecar serves the directory; `failed` if it cannot be opened now, which is tried again
   */
  open(): 'open' | 'in-use' | 'failed' {
    return this.#store.open();
  }

  /** Grants a lease, or renews or takes over a live one of that name, now or not at all. */
  acquire(request: AcquireRequest): Outcome {
    const nowMs = this.#catchUp();
    if (!this.#isStopping) this.#store.retryFlock();
    const outcome = decide(request, {
      facts: this.#factsOf(request.name, nowMs),
      nowMs,
      isStopping: this.#isStopping,
      leaseCount: this.#book.size,
      closedGate: this.#closedGate(request.name, nowMs),
      store: this.#store,
    }, this.options);
    if (outcome.kind === 'refused') return outcome;
    const failure = outcome.isNew ? this.#lock.add(outcome.lease) : this.#lock.renew(outcome.lease);
    if (failure === null) return outcome;
    // A directory that has come to the path may have leases of its own: then everything is decided anew.
    return this.heldSinceMs === null && this.#store.reopenIfMoved() ? this.acquire(request) : refused(failure);
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
    const nowMs = this.#catchUp();
    const live = this.#book.get(name);
    if (live === undefined || this.#isStopping || (id !== undefined && live.id !== id)) return undefined;
    return this.#lock.end(live, reason, nowMs);
  }

  /** Ends a lease because its holder, or somebody else who may, asks for it. */
  release(name: string, only?: Precondition): Release {
    const nowMs = this.#catchUp();
    const facts = this.#factsOf(name, nowMs);
    const { live, whyNotKnown } = facts;
    if (live === undefined) return whyNotKnown === null ? { kind: 'none' } : { kind: 'refused', refusal: whyNotKnown };
    const refusal = unmetPrecondition({ name, only }, facts) ?? (this.#isStopping ? STOPPING : null);
    return refusal === null ? { kind: 'ended', lease: this.#lock.end(live, 'released', nowMs) } : { kind: 'refused', refusal };
  }

  /** Why there may be other leases than those that are known; null if there cannot. */
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

  /** Live leases, oldest first. */
  leases(): Lease[] {
    const nowMs = this.#nowMs();
    return this.#book.all().filter((lease) => !isDue(lease, nowMs));
  }

  get leaseCount(): number {
    return this.leases().length;
  }

  /** Since when the lock has been held without a break, null while it is not. */
  get heldSinceMs(): number | null {
    return this.#lock.sinceMs;
  }

  /** Whether the Supervisor or Helios has the lock: an update is being applied. */
  get isUpdating(): boolean {
    return isSupervisors({ paths: this.#store.inspect() });
  }

  /** Whether the lock's files belong to another user than the one as whom the process was started. */
  get isLockUsers(): boolean {
    return this.#store.isLockUsers;
  }

  /** The lock as it is now. */
  status(): LockStatus {
    return statusOf({
      heldSinceMs: this.heldSinceMs,
      isFlocked: this.heldSinceMs !== null && this.#store.isFlocked(),
      paths: this.#store.inspect(),
      leases: this.leases(),
      problem: this.#store.whyNot(),
      gate: this.#closedGate(null, this.#nowMs()),
    });
  }

  /** Catches up with time and disk, and finds the lock directory again if it was moved while the lock is free. */
  tick(): void {
    this.#catchUp();
    if (this.#store.isOpen && !this.#isStopping && this.heldSinceMs === null) this.#store.reopenIfMoved();
  }

  /** Looks whether all is as it should be: to be called when something has happened in the lock directory. */
  look(): void {
    this.tick();
    this.#leftBehind.look(this.#store.inspect());
    this.#lock.reportNamesOwner();
    this.#waitingRoom.call();
    this.options.emit({ type: 'directory-looked-at' });
  }

  /** Ends the service. With `release` the live leases end; otherwise the lock stays for them, to be recovered. */
  stop(release: boolean): void {
    const nowMs = this.#endDue();
    if (release) for (const lease of this.leases()) this.#lock.end(lease, 'stopped', nowMs);
    this.#isStopping = true;
    this.#wasOpen = this.#store.isOpen;
    this.#book.stop();
    this.#waitingRoom.close();
    const paths = this.#store.inspect().filter(({ standing }) => standing === 'ours').map(({ path }) => path);
    this.options.emit({ type: 'stopping', holders: this.leases().map(({ name }) => name), paths });
  }

  /** Lets go of the files; the lock stays on disk for the leases that are still live. */
  close(): void {
    this.#leftBehind.close();
    this.#store.close(this.#book.size > 0);
  }

  /**
   * Ends what is due and notices that the lock was taken away. Every decision begins here: a lease of a lock that is gone would
   * be acknowledged and not be on disk.
   * @returns the time for the decision
   */
  #catchUp(): number {
    const nowMs = this.#endDue();
    if (!this.#isStopping) this.#lock.loseIfTakenAway(nowMs);
    return nowMs;
  }

  /**
   * Ends what is due, so that a late timer, after a SIGSTOP or a suspend, cannot make a dead lease live; nor is anything decided
   * before the leases of a former process have been recovered, if that can be done.
   * @returns the time for the decision
   */
  #endDue(): number {
    if (this.#isStopping) return this.#nowMs();
    this.#store.openIfClosed();
    const nowMs = this.#nowMs();
    this.#lock.endDue(nowMs);
    return nowMs;
  }

  #factsOf(name: string, nowMs: number): NameFacts {
    return { live: this.#book.get(name), ended: this.#book.getEnded(name, nowMs), whyNotKnown: this.whyNotKnown() };
  }

  #closedGate(name: string | null, nowMs: number): Refusal | null {
    return closedGate(this.#gates, { nowMs, name, lostAtMs: this.notes.lostAtMs });
  }

  #nowMs(): number {
    return this.options.clock.monotonicMs();
  }
}
