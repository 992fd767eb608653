import type { Clock, Timeline } from '../clock';
import type { EndedLease, Lease } from '../leases/lease';
import { banner } from '../lock/banner';
import type { Recovered } from '../lock/journal';
import type { OpenStoreResult, Store } from '../lock/store';
import type { PathStanding } from '../lock/update-lock';
import type { FallibleOperation, KeeperListener } from './events';
import type { Refusal } from '../leases/request';
import { cannotLock, fromStanding } from './refusals';

/** How often a store that could not be opened, or a file that could not be removed, is tried again. Milliseconds. */
const RETRY_MS = 5000;

/** A request does not try to open the store again sooner than this after the last attempt. Milliseconds. */
const REOPEN_AT_MOST_EVERY_MS = 1000;

export interface CustodyOptions {
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly emit: KeeperListener;
  readonly openStore: () => OpenStoreResult;
  /** For people who look at the lock file: a command that says more. */
  readonly whereToAsk: string;
}

/**
 * Carries out on disk what the keeper decides. What fails is reported as an event and as the refusal that follows from
 * it, and tried again; nothing here throws.
 */
export class Custody {
  #store: Store | null = null;
  #problem = 'it was not opened yet';
  #lastTriedMs = -Infinity;
  #retryTimer: NodeJS.Timeout | undefined;

  /** @param onOpen what to do with the leases of a former process, whenever lock and journal have been opened */
  constructor(
    private readonly options: CustodyOptions,
    private readonly onOpen: (recovered: Recovered) => void,
  ) {}

  /** Opens lock and journal. If it cannot be done now, it is tried again by itself. */
  open(): OpenStoreResult['kind'] {
    clearTimeout(this.#retryTimer);
    this.#lastTriedMs = this.options.clock.monotonicMs();
    const opened = this.options.openStore();
    if (opened.kind === 'open') {
      this.#store = opened.store;
      this.onOpen(opened.store.recovered);
    } else {
      this.#problem = opened.kind === 'in-use' ? 'another sidecar serves this directory' : opened.detail;
      this.#failed('open', this.#problem);
      this.#retryTimer = setTimeout(() => this.open(), RETRY_MS);
      this.#retryTimer.unref();
    }
    return opened.kind;
  }

  /** What keeps another lease from being held safely, apart from what stands at the lock's names; null if nothing does. */
  whyNot(): Refusal | null {
    const { clock } = this.options;
    if (this.#store === null && clock.monotonicMs() - this.#lastTriedMs >= REOPEN_AT_MOST_EVERY_MS) this.open();
    if (this.#store === null) return cannotLock(this.#problem);
    try {
      // There may be room in the journal even so. But whether an app gets the lock should not depend on luck.
      return this.#store.lock.isFull() ? cannotLock('the file system of the lock directory is full') : null;
    } catch (error) {
      return cannotLock(messageOf(error));
    }
  }

  /** The same, after a closer look that the way of a request does not need. */
  whyNotReady(): Refusal | null {
    const refusal = this.whyNot();
    const problem = this.#store?.lock.problem() ?? null;
    return refusal === null && problem !== null ? cannotLock(problem) : refusal;
  }

  /** Takes the lock for this lease: the content is there before the names are. */
  take(lease: Lease): Refusal | null {
    clearTimeout(this.#retryTimer);
    this.describe([lease], 1);
    const result = this.#store?.lock.take() ?? { kind: 'failed', detail: this.#problem };
    if (result.kind === 'taken') return null;
    if (result.kind === 'blocked') return fromStanding(result);
    this.#failed('take', result.detail);
    return cannotLock(result.detail);
  }

  /** Removes our names from the disk; what cannot be removed now is tried again. */
  giveBack(): void {
    const store = this.#store;
    if (store === null) return;
    const problems = store.lock.giveBack();
    for (const problem of problems) this.#failed('give-back', problem);
    const unflocked = store.lock.ownFlock();
    if (unflocked !== null) this.#failed('flock', unflocked);
    clearTimeout(this.#retryTimer);
    if (problems.length > 0) this.#retryTimer = setTimeout(() => { this.giveBack(); }, RETRY_MS).unref();
  }

  /** Writes a lease down before it is acknowledged. */
  record(lease: Lease): Refusal | null {
    try {
      if (this.#store === null) return cannotLock(this.#problem);
      this.#store.journal.write(lease);
      return null;
    } catch (error) {
      this.#failed('journal', messageOf(error));
      return cannotLock(`the lease cannot be written down: ${messageOf(error)}`);
    }
  }

  recordEnd(ended: EndedLease): void {
    this.#tryTo('journal', (store) => {
      store.journal.writeEnded(ended);
    });
  }

  /** Writes down what a next process has to know beside the leases. */
  recordBoot(lostAtMs: number | null): void {
    this.#tryTo('journal', (store) => {
      store.journal.writeHeader({ lostAtMs, wallOffsetMs: this.options.timeline.offsetMs });
    });
  }

  /** Shows people who holds the lock. */
  describe(leases: Iterable<Lease>, count: number): void {
    const { timeline, whereToAsk } = this.options;
    this.#tryTo('describe', (store) => {
      store.lock.describe(banner(leases, count, whereToAsk, (monotonicMs) => timeline.toRfc3339(monotonicMs)));
    });
  }

  /** Whether the lock is on disk, by the quickest look. */
  isHeld(): boolean {
    return this.#store?.lock.isHeld() ?? false;
  }

  /** The same, by what everybody else sees. */
  isSeenHeld(): boolean {
    return this.#store?.lock.isSeenHeld() ?? false;
  }

  isFlocked(): boolean {
    return this.#store?.lock.isFlocked() ?? false;
  }

  inspect(): PathStanding[] {
    return this.#store?.lock.inspect() ?? [];
  }

  /** After a loss or while free: goes on in the directory that is now at the path, if it is another. */
  reopenIfMoved(): void {
    if (this.#store === null || this.#store.lock.isInPlace()) return;
    this.close(false);
    this.#problem = 'the lock directory was replaced';
    this.open();
  }

  /** If a guard of a former process kept the flock and has died, takes its place. */
  keepFlocked(): void {
    if (this.#store === null || this.#store.lock.isFlocked()) return;
    const problem = this.#store.lock.ownFlock();
    if (problem !== null) this.#failed('flock', problem);
  }

  /** Lets go of everything but the names on disk and, with `keepGuard`, their flock. */
  close(keepGuard: boolean): void {
    clearTimeout(this.#retryTimer);
    this.#store?.journal.close();
    this.#store?.lock.close({ keepGuard });
    this.#store = null;
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
