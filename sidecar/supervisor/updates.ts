import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../server/clock';
import { RetryOnRelease } from './retry-on-release';
import { SharedRequests } from './shared-requests';
import type { SupervisorAddress } from './supervisor-api';
import { SupervisorApi } from './supervisor-api';
import type { SidecarEvent, UpdateEvent } from '../events/event';
import type { Lease } from '../leases/lease';
import type { UpdateNote } from '../leases/waited';
import { UpdateRequests, type ByHandResult, type LockState, type UpdateRequest } from './update-requests';
import { isPending, type UpdateStatus } from './release-status';
import { UpdateWatch } from './release-watch';
import { Waiters } from './waiters';

/** How long a stop waits for the request to the Supervisor after the last release, in milliseconds: a stop takes 4 s at most. */
const ENDS_WITHIN_MS = 2500;

/**
 * How long a request without a wait lasts while the Supervisor does not answer: less than the 10 s that clients wait for an
 * answer. Milliseconds.
 */
const LOOKS_WITHIN_MS = 8000;

/** The state of updates, and a way to ask for one. The same with and without the Supervisor's API. */
export interface UpdateSource {
  /** The last known state; also if the Supervisor is not configured or was never asked. */
  readonly status: UpdateStatus;
  /** The same, but null if nothing useful is known. */
  readonly known: UpdateStatus | null;
  /**
   * Calls back once an update is pending, or at the end of the wait; never before it has returned.
   * @returns stops waiting: then nothing is called back
   */
  whenPending(waitMs: number, onAnswer: () => void): () => void;
  /** Asks the Supervisor for an update, for a client. */
  request(request: UpdateRequest): Promise<ByHandResult>;
}

/** What this room needs of the keeper. */
interface Keeper {
  readonly heldSinceMs: number | null;
  readonly isUpdating: boolean;
  leases(): Lease[];
  readonly notes: { readonly update: UpdateNote; recordUpdate(change: Partial<UpdateNote>): void };
}

export interface UpdatesOptions {
  readonly address: SupervisorAddress;
  readonly pollMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly keeper: Keeper;
  readonly emit: (event: UpdateEvent) => void;
}

/** The device's Supervisor: the state of updates that it reports, and requests to it. */
export class Updates implements UpdateSource {
  readonly #watch: UpdateWatch;
  readonly #requests: UpdateRequests;
  readonly #retry: RetryOnRelease;
  readonly #waiters = new Waiters();
  /** The requests that clients cause. */
  readonly #looks = new SharedRequests<UpdateStatus>();
  readonly #tries = new SharedRequests<ByHandResult>();
  /** Null until the first event: a lease of a former process may have ended before it was ever live in this one. */
  #wasHeld: boolean | null = null;

  constructor(private readonly options: UpdatesOptions) {
    const { address, pollMs, clock, random, keeper, emit } = options;
    const api = new SupervisorApi(address);
    const lock: LockState = {
      isHeld: () => keeper.heldSinceMs !== null,
      isSupervisors: () => keeper.isUpdating,
      holders: () => keeper.leases().map(({ name }) => name),
    };
    this.#watch = new UpdateWatch({ api, clock, random, pollMs, isHeld: () => lock.isHeld(), emit });
    this.#requests = new UpdateRequests({ api, watch: this.#watch, lock, emit });
    this.#retry = new RetryOnRelease({ clock, watch: this.#watch, requests: this.#requests, lock });
  }

  get status(): UpdateStatus {
    return this.#watch.status;
  }

  get known(): UpdateStatus | null {
    return this.#watch.known;
  }

  get waitsSinceMs(): number | null {
    return this.status.waitsSinceMs;
  }

  onEvent(event: SidecarEvent): void {
    switch (event.type) {
      case 'store-opened':
        this.#resume();
        return;
      case 'lease-acquired':
        this.#onLock(true, false);
        return;
      case 'lease-ended':
        if (event.lock !== 'held') this.#onLock(false, event.lock === 'lost');
        return;
      case 'lock-turned':
        this.#requests.check();
        // An update has come to an end, one way or the other.
        if (event.from === 'updating' && this.waitsSinceMs !== null) this.#watch.lookInAftermath();
        return;
      case 'update-changed':
        this.#onChange();
        return;
      case 'stopping':
        this.#waiters.answerAll();
        return;
      default:
    }
  }

  /** Continues with the state that a former process knew: it may have been killed between a release and the request that follows. */
  #resume(): void {
    const { keeper } = this.options;
    this.#watch.resume(keeper.notes.update.waitsSinceMs);
    if (this.waitsSinceMs !== null && keeper.heldSinceMs === null) this.#retry.onReleased();
  }

  /** `isLost` if the lock was taken away rather than given back. */
  #onLock(isHeld: boolean, isLost: boolean): void {
    if (isHeld === this.#wasHeld) return;
    this.#wasHeld = isHeld;
    if (isHeld) {
      this.#retry.onHeld();
      this.#watch.onHeld();
    } else {
      this.#watch.onReleased();
      if (!isLost) this.#retry.onReleased();
    }
    this.#requests.check();
  }

  #onChange(): void {
    const { keeper } = this.options;
    const { waitsSinceMs } = this;
    if (waitsSinceMs !== keeper.notes.update.waitsSinceMs) keeper.notes.recordUpdate({ waitsSinceMs });
    this.#requests.check();
    // After all listeners: the answer shows the deadline, which begins to count with this event.
    if (isPending(this.status)) setImmediate(() => { this.#waiters.answerAll(); });
  }

  /** Polls, even while the lock is free, until the returned function is called. */
  attend(): () => void {
    return this.#watch.attend();
  }

  /** Asks the Supervisor now; false if it does not answer. */
  isNothingPending(): Promise<boolean> {
    return this.#watch.isNothingPending();
  }

  /**
   * Asks the Supervisor, and calls back once an update is pending, or at the end of the wait; without one, once it has answered, or is
   * clearly not going to.
   * @returns stops waiting: then nothing is called back
   */
  whenPending(waitMs: number, onAnswer: () => void): () => void {
    const waits = waitMs > 0;
    const stopAttending = waits ? this.#watch.attend() : (): void => undefined;
    const waiter = this.#waiters.add(waits ? waitMs : LOOKS_WITHIN_MS, () => {
      stopAttending();
      onAnswer();
    });
    void this.#looks.ask('status', () => this.#watch.lookTwice()).then((status) => {
      if (!waits || isPending(status)) waiter.answer();
    });
    return () => {
      stopAttending();
      waiter.leave();
    };
  }

  async request(request: UpdateRequest): Promise<ByHandResult> {
    const result = await this.#tries.ask(request.force ? 'force' : 'retry', () => this.#requests.byHand(request));
    if (!result.ok) this.options.emit({ type: 'update-refused', peer: request.peer, problem: result.problem });
    return result;
  }

  /** Lets the request after the last release finish, if that is soon. */
  async close(): Promise<void> {
    this.#watch.close();
    await Promise.race([this.#retry.close(), sleep(ENDS_WITHIN_MS, undefined, { ref: false })]);
    this.#requests.close();
  }
}
