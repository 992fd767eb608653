import type { Clock, Timeline } from '../../server/clock';
import { messageOf } from '../../server/text';
import type { FallibleOperation, KeeperEvent } from '../events/event';
import type { Recovered } from '../journal/journal';
import type { Header } from '../journal/record';
import type { EndedLease, Lease } from '../leases/lease';
import type { Refusal } from '../leases/refusal-codes';
import { lockFileText } from '../lock/lock-file-text';
import { FlockUpkeep, RETRY_AT_MOST_EVERY_MS, RETRY_MS } from '../lock/flock-upkeep';
import type { FoundPath, LeftBehind } from './left-behind';
import type { OpenStoreResult, Store } from './open-store';
import { cannotLock, fromStanding, STOPPING } from './refusal-texts';

export interface LockStoreOptions {
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly emit: (event: KeeperEvent) => void;
  readonly openStore: () => OpenStoreResult;
  /** For people who look at the lock file: what curl needs to reach the API. */
  readonly whereToAsk: string;
}

/** What the store needs of the keeper. */
interface LeaseSource {
  /** Recovers the leases of a former process, whenever lock and journal have been opened. */
  readonly onOpen: (recovered: Recovered) => void;
  readonly leases: () => Iterable<Lease>;
  /** The notes for the next process of this boot. */
  readonly header: () => Header;
}

/**
 * Carries out on disk what the keeper decides. A failure is reported as an event and as the refusal that follows from it,
 * and the operation is tried again; nothing here throws.
 */
export class LockStore {
  #store: (Store & { readonly flock: FlockUpkeep }) | null = null;
  #problem = 'it was not opened yet';
  #isClosed = false;
  #openedAtMs = -Infinity;
  #openTimer: NodeJS.Timeout | undefined;
  /** Set exactly while a name of ours is on disk that is not needed any more, and could not be removed. */
  #giveBackTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: LockStoreOptions,
    private readonly keeper: LeaseSource,
    private readonly leftBehind: Pick<LeftBehind, 'mark'>,
  ) {}

  get isOpen(): boolean {
    return this.#store !== null;
  }

  /** Whether the lock's files belong to another user than the one as whom we were started. */
  get isLockUsers(): boolean {
    return this.#store?.lock.main.isLockUsers ?? false;
  }

  /** Opens lock and journal. If that fails, it is tried again by itself. */
  open(): OpenStoreResult['kind'] {
    clearTimeout(this.#openTimer);
    const { clock, openStore } = this.options;
    this.#openedAtMs = clock.monotonicMs();
    const opened = openStore();
    if (opened.kind === 'open') {
      const { recovered, lock } = opened.store;
      const flock = new FlockUpkeep(lock, clock, (problem) => { this.#failed('flock', problem); });
      this.#store = { ...opened.store, flock };
      for (const problem of recovered.problems) this.#failed('journal', problem);
      this.keeper.onOpen(recovered);
      flock.start();
    } else {
      this.#problem = opened.kind === 'in-use' ? 'another sidecar serves this directory' : opened.detail;
      this.#failed('open', this.#problem);
      this.#openTimer = setTimeout(() => this.open(), RETRY_MS).unref();
    }
    return opened.kind;
  }

  /** At a request: tries again to open what could not be opened, unless that was done just now. */
  openIfClosed(): void {
    if (this.#store !== null || this.#isClosed) return;
    if (this.options.clock.monotonicMs() - this.#openedAtMs >= RETRY_AT_MOST_EVERY_MS) this.open();
  }

  /** Why another lease cannot be held safely, apart from the files at the lock's names; null if it can. */
  whyNot(): Refusal | null {
    if (this.#isClosed) return STOPPING;
    if (this.#store === null) return cannotLock(this.#problem);
    // There may be room in the journal even on a full disk. But whether an app gets the lock should not depend on luck.
    return this.whyNotFlocked() ?? (this.#isFull() ? cannotLock('the file system of the lock directory is full') : null);
  }

  /** Why a live lease cannot be held safely; null if it can. */
  whyNotFlocked(): Refusal | null {
    if (this.#store === null) return cannotLock(this.#problem);
    const problem = this.#store.lock.flockProblem();
    return problem === null ? null : cannotLock(problem);
  }

  /** At a request: tries again to take a flock that is missing, unless that was done just now. */
  retryFlock(): void {
    this.#store?.flock.retry();
  }

  /** Takes the lock for this lease: the content is there before the names are. */
  take(lease: Lease): Refusal | null {
    if (this.#store === null) return cannotLock(this.#problem);
    const { lock, flock } = this.#store;
    const problem = flock.prepareTake();
    if (problem !== null) return cannotLock(problem);
    this.describe([lease], 1);
    const result = lock.take();
    if (result.kind === 'taken') {
      this.#stopGivingBack();
      return null;
    }
    // One of the names may be ours all the same, and is not needed.
    if (this.#giveBackTimer === undefined) this.giveBack();
    if (result.kind === 'blocked') return fromStanding(this.leftBehind.mark(result.by));
    this.#failed('take', result.detail);
    return cannotLock(result.detail);
  }

  /** Removes our names from the disk. If one cannot be removed, it is tried again by itself. */
  giveBack(): void {
    if (this.#store === null) return;
    const { lock, flock } = this.#store;
    const problems = lock.giveBack();
    for (const problem of problems) this.#failed('give-back', problem);
    this.#stopGivingBack();
    if (problems.length === 0) flock.renewSoon();
    else this.#giveBackTimer = setTimeout(() => { this.giveBack(); }, RETRY_MS).unref();
  }

  #stopGivingBack(): void {
    clearTimeout(this.#giveBackTimer);
    this.#giveBackTimer = undefined;
  }

  /** Writes a lease down before it is acknowledged. */
  record(lease: Lease): Refusal | null {
    if (this.#store === null) return cannotLock(this.#problem);
    const { journal } = this.#store;
    try {
      if (journal.isRemoved()) journal.restore(this.keeper.header(), this.keeper.leases());
      journal.write(lease);
      return null;
    } catch (error) {
      this.#failed('journal', messageOf(error));
      return cannotLock(`the lease cannot be written down: ${messageOf(error)}`);
    }
  }

  recordEnd(ended: EndedLease): void {
    this.#tryTo('journal', ({ journal }) => {
      // Otherwise a copy that somebody has put there would bring the lease back.
      if (journal.isRemoved()) journal.restore(this.keeper.header(), this.keeper.leases());
      else journal.writeEnded(ended);
    });
  }

  /** Writes down the notes for the next process of this boot. */
  recordNotes(): void {
    this.#tryTo('journal', ({ journal }) => { journal.writeHeader(this.keeper.header()); });
  }

  /** Writes into the lock file, for people, who holds the lock. */
  describe(leases: Iterable<Lease>, count: number): void {
    const { timeline, whereToAsk } = this.options;
    this.#tryTo('describe', ({ lock }) => {
      lock.describe(lockFileText(leases, count, whereToAsk, (monotonicMs) => timeline.toRfc3339(monotonicMs)));
    });
  }

  /** Whether the lock is on disk, as everybody else sees it. */
  isHeld(): boolean {
    return this.#store?.lock.isHeld() ?? false;
  }

  isFlocked(): boolean {
    return this.#store !== null && this.#store.lock.flockProblem() === null;
  }

  inspect(): FoundPath[] {
    return this.#store?.lock.inspect().map((path) => this.leftBehind.mark(path)) ?? [];
  }

  /** While the lock is free: goes on in the directory that is now at the path, if it is another. Returns whether it does. */
  reopenIfMoved(): boolean {
    if (this.#store === null || this.#store.lock.isInPlace()) return false;
    this.#letGo(false);
    this.#problem = 'the lock directory was replaced';
    return this.open() === 'open';
  }

  /** Lets go of everything, for good, but the names on disk and, with `keepFlock`, their flock. */
  close(keepFlock: boolean): void {
    this.#isClosed = true;
    clearTimeout(this.#openTimer);
    this.#letGo(keepFlock);
  }

  #letGo(keepFlock: boolean): void {
    this.#stopGivingBack();
    this.#store?.flock.close();
    this.#store?.journal.close();
    this.#store?.lock.close(keepFlock);
    this.#store = null;
  }

  #isFull(): boolean {
    try {
      return this.#store?.lock.isFull() ?? false;
    } catch {
      // The next operation reports the problem.
      return false;
    }
  }

  #tryTo(operation: FallibleOperation, action: (store: Store) => void): void {
    if (this.#store === null) return;
    try {
      action(this.#store);
    } catch (error) {
      this.#failed(operation, messageOf(error));
    }
  }

  #failed(operation: FallibleOperation, detail: string): void {
    this.options.emit({ type: 'failed', operation, detail });
  }
}
