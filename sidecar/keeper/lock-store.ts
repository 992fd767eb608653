import type { Clock, Timeline } from '../clock';
import type { EndedLease, Lease } from '../leases/lease';
import type { Refusal } from '../leases/refusal';
import { banner } from '../lock/banner';
import type { Recovered } from '../journal/journal';
import type { Header } from '../journal/record';
import type { OpenStoreResult, Store } from './open-store';
import type { InspectedPath } from '../lock/update-lock';
import type { FallibleOperation, KeeperEvent } from '../events/event';
import { cannotLock, fromStanding, STOPPING } from './refusals';

/** How often a store that could not be opened, or a file that could not be removed, is tried again. Milliseconds. */
const RETRY_MS = 5000;

/** How often is looked after a flock that is missing, or that may end without our being told. Milliseconds. */
const FLOCK_CHECK_MS = 1000;

/**
 * How long the lock has been free before its flock is, for others who wait for it. Milliseconds. An app that takes the lock again
 * sooner has the same file once more, at no cost.
 */
const RENEW_AFTER_MS = 500;

/** What is tried again at a request is not tried more often than this. Milliseconds. */
const AT_MOST_EVERY_MS = 1000;

export interface LockStoreOptions {
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly emit: (event: KeeperEvent) => void;
  readonly openStore: () => OpenStoreResult;
  /** For people who look at the lock file: a command that says more. */
  readonly whereToAsk: string;
}

/** What the store needs of the keeper. */
interface LeaseSource {
  /** Takes up the leases of a former process, whenever lock and journal have been opened. */
  readonly onOpen: (recovered: Recovered) => void;
  readonly leases: () => Iterable<Lease>;
  /** What a next process has to know beside the leases. */
  readonly header: () => Header;
}

/**
 * Carries out on disk what the keeper decides. What fails is reported as an event and as the refusal that follows from
 * it, and tried again; nothing here throws.
 */
export class LockStore {
  #store: Store | null = null;
  #problem = 'it was not opened yet';
  #isClosed = false;
  #openedAtMs = -Infinity;
  #flockedAtMs = -Infinity;
  #openTimer: NodeJS.Timeout | undefined;
  /** Set exactly while a name of ours is on disk that nobody wants any more, and that could not be removed. */
  #giveBackTimer: NodeJS.Timeout | undefined;
  #flockTimer: NodeJS.Timeout | undefined;
  #renewTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: LockStoreOptions,
    private readonly keeper: LeaseSource,
  ) {}

  get isOpen(): boolean {
    return this.#store !== null;
  }

  /** Whether the lock's files belong to another user than the one as whom we were started. */
  get isLockUsers(): boolean {
    return this.#store?.lock.main.isLockUsers ?? false;
  }

  /** Opens lock and journal. If it cannot be done now, it is tried again by itself. */
  open(): OpenStoreResult['kind'] {
    clearTimeout(this.#openTimer);
    this.#openedAtMs = this.options.clock.monotonicMs();
    const opened = this.options.openStore();
    if (opened.kind === 'open') {
      this.#store = opened.store;
      for (const problem of opened.store.recovered.problems) this.#failed('journal', problem);
      this.keeper.onOpen(opened.store.recovered);
      const problem = opened.store.lock.flockProblem();
      if (problem !== null) this.#failed('flock', problem);
      this.#watchFlock();
    } else {
      this.#problem = opened.kind === 'in-use' ? 'another sidecar serves this directory' : opened.detail;
      this.#failed('open', this.#problem);
      this.#openTimer = setTimeout(() => this.open(), RETRY_MS).unref();
    }
    return opened.kind;
  }

  /** Tries again to open what could not be opened, if that was not done just now. */
  openIfClosed(): void {
    if (this.#store === null && !this.#isClosed && this.#isLongSince(this.#openedAtMs)) this.open();
  }

  /** What keeps another lease from being held safely, apart from what stands at the lock's names; null if nothing does. */
  whyNot(): Refusal | null {
    if (this.#isClosed) return STOPPING;
    if (this.#store === null) return cannotLock(this.#problem);
    // There may be room in the journal even on a full disk. But whether an app gets the lock should not depend on luck.
    return this.whyNotFlocked() ?? (this.#isFull() ? cannotLock('the file system of the lock directory is full') : null);
  }

  /** What keeps a live lease from being held safely; null if nothing does. */
  whyNotFlocked(): Refusal | null {
    const lock = this.#store?.lock;
    if (lock === undefined) return cannotLock(this.#problem);
    const problem = lock.flockProblem();
    return problem === null ? null : cannotLock(problem);
  }

  /** Tries again to take a flock that is missing, if that was not done just now. */
  retryFlock(): void {
    const problem = this.#store?.lock.flockProblem() ?? null;
    if (problem !== null && this.#isLongSince(this.#flockedAtMs)) this.#holdFlock();
  }

  /** Takes the lock for this lease: the content is there before the names are. */
  take(lease: Lease): Refusal | null {
    clearTimeout(this.#renewTimer);
    const lock = this.#store?.lock;
    // A guard of a former process may end at any moment while the lock is free.
    if (lock?.isFlockInherited() === true) this.#renew();
    if (lock?.isFlockInherited() === true) return cannotLock('the flock of a former process cannot be replaced');
    this.describe([lease], 1);
    const result = lock?.take() ?? { kind: 'failed', detail: this.#problem };
    if (result.kind === 'taken') {
      this.#stopGivingBack();
      return null;
    }
    // One of the names may be ours all the same, and is not wanted.
    if (this.#giveBackTimer === undefined) this.giveBack();
    if (result.kind === 'blocked') return fromStanding(result);
    this.#failed('take', result.detail);
    return cannotLock(result.detail);
  }

  /** Removes our names from the disk; what cannot be removed now is tried again. */
  giveBack(): void {
    const lock = this.#store?.lock;
    if (lock === undefined) return;
    const problems = lock.giveBack();
    for (const problem of problems) this.#failed('give-back', problem);
    if (problems.length === 0) this.#renewSoon();
    this.#watchFlock();
    this.#stopGivingBack();
    if (problems.length > 0) {
      this.#giveBackTimer = setTimeout(() => {
        this.giveBack();
      }, RETRY_MS).unref();
    }
  }

  #stopGivingBack(): void {
    clearTimeout(this.#giveBackTimer);
    this.#giveBackTimer = undefined;
  }

  /** Writes a lease down before it is acknowledged. */
  record(lease: Lease): Refusal | null {
    const journal = this.#store?.journal;
    if (journal === undefined) return cannotLock(this.#problem);
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
      // Else a copy that somebody has put there would bring the lease back.
      if (journal.isRemoved()) journal.restore(this.keeper.header(), this.keeper.leases());
      else journal.writeEnded(ended);
    });
  }

  /** Writes down what a next process has to know beside the leases. */
  recordBoot(): void {
    this.#tryTo('journal', (store) => {
      store.journal.writeHeader(this.keeper.header());
    });
  }

  /** Shows people who holds the lock. */
  describe(leases: Iterable<Lease>, count: number): void {
    const { timeline, whereToAsk } = this.options;
    this.#tryTo('describe', (store) => {
      store.lock.describe(banner(leases, count, whereToAsk, (monotonicMs) => timeline.toRfc3339(monotonicMs)));
    });
  }

  /** Whether the lock is on disk, as everybody else sees it. */
  isHeld(): boolean {
    return this.#store?.lock.isHeld() ?? false;
  }

  isFlocked(): boolean {
    return this.#store !== null && this.#store.lock.flockProblem() === null;
  }

  inspect(): InspectedPath[] {
    return this.#store?.lock.inspect() ?? [];
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
    clearInterval(this.#flockTimer);
    this.#flockTimer = undefined;
    clearTimeout(this.#renewTimer);
    this.#store?.journal.close();
    this.#store?.lock.close(keepFlock);
    this.#store = null;
  }

  #isFull(): boolean {
    try {
      return this.#store?.lock.isFull() ?? false;
    } catch {
      // It shows at the next step what is wrong.
      return false;
    }
  }

  #holdFlock(): string | null {
    this.#flockedAtMs = this.options.clock.monotonicMs();
    const problem = this.#store?.lock.holdFlock() ?? null;
    if (problem !== null) this.#failed('flock', problem);
    this.#watchFlock();
    return problem;
  }

  /** Once the lock has been free for a moment, or at once where its flock is not our own, lets others have the flock. */
  #renewSoon(): void {
    const lock = this.#store?.lock;
    clearTimeout(this.#renewTimer);
    if (lock === undefined || lock.isFresh()) return;
    if (lock.isFlockInherited() || lock.flockProblem() !== null) this.#renew();
    else this.#renewTimer = setTimeout(() => { this.#renew(); }, RENEW_AFTER_MS).unref();
  }

  #renew(): void {
    const problem = this.#store?.lock.renew() ?? null;
    if (problem !== null) {
      this.#failed('flock', problem);
      this.#renewTimer = setTimeout(() => { this.#renew(); }, RETRY_MS).unref();
    }
    this.#watchFlock();
  }

  /** While the kernel cannot tell that the flock has ended, or it is missing: looks after it. */
  #watchFlock(): void {
    const lock = this.#store?.lock;
    if (lock !== undefined && (lock.isFlockInherited() || lock.flockProblem() !== null)) {
      this.#flockTimer ??= setInterval(() => {
        if (lock.flockProblem() === null) this.#watchFlock();
        else this.#holdFlock();
      }, FLOCK_CHECK_MS).unref();
      return;
    }
    clearInterval(this.#flockTimer);
    this.#flockTimer = undefined;
  }

  #isLongSince(ms: number): boolean {
    return this.options.clock.monotonicMs() - ms >= AT_MOST_EVERY_MS;
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
