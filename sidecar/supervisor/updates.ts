import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock';
import { RetryOnRelease } from './retry-on-release';
import type { SupervisorAddress } from './supervisor-api';
import { SupervisorApi } from './supervisor-api';
import type { UpdateEvent } from './events';
import { UpdateRequests, type ByHandResult, type LockState, type UpdateRequest } from './update-requests';
import { isPending, type UpdateStatus } from './update-status';
import { UpdateWatch } from './update-watch';
import { Waiters } from './waiters';

/** How long an end waits for what has been begun for the last release, in milliseconds: a stop takes 4 s at most. */
const ENDS_WITHIN_MS = 2500;

/**
 * How long somebody who does not want to wait does wait for a Supervisor that does not answer: less than clients wait for an
 * answer, which is 10 s. Milliseconds.
 */
const LOOKS_WITHIN_MS = 8000;

export interface UpdatesOptions {
  readonly address: SupervisorAddress;
  readonly pollMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Since when an update has waited, as a former process knew it; null if none has. */
  readonly waitsSinceMs: number | null;
  readonly lock: LockState;
  readonly emit: (event: UpdateEvent) => void;
}

/** All that has to do with the device's Supervisor: what it says, and asking it. */
export class Updates {
  readonly #watch: UpdateWatch;
  readonly #requests: UpdateRequests;
  readonly #retry: RetryOnRelease;
  readonly #lock: LockState;
  readonly #waiters = new Waiters();
  #wasSupervisors = false;
  /** Null until the first event: a lease of a former process may have ended before it was ever live in this one. */
  #wasHeld: boolean | null = null;

  constructor({ address, pollMs, clock, random, waitsSinceMs, lock, emit }: UpdatesOptions) {
    const api = new SupervisorApi(address);
    this.#lock = lock;
    this.#watch = new UpdateWatch({ api, clock, random, pollMs, waitsSinceMs, isHeld: () => lock.isHeld(), emit });
    this.#requests = new UpdateRequests({ api, watch: this.#watch, lock, emit });
    this.#retry = new RetryOnRelease({ clock, watch: this.#watch, requests: this.#requests, lock });
  }

  /** Goes on where a former process was, which may have been ended between a release and what follows from it. */
  start(): void {
    this.#wasSupervisors = this.#lock.isSupervisors();
    if (this.status.waitsSinceMs !== null && !this.#lock.isHeld()) this.#retry.onReleased();
  }

  get status(): UpdateStatus {
    return this.#watch.status;
  }

  /** What is known and not old: null if nothing is. */
  get known(): UpdateStatus | null {
    return this.#watch.known;
  }

  /** To be called when the lock has been taken, or given back; `isLost` if it was taken away. */
  onLock(isHeld: boolean, isLost: boolean): void {
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

  /** To be called when what is known has changed. */
  onChange(): void {
    this.#requests.check();
    if (isPending(this.status)) this.#waiters.answerAll();
  }

  /** To be called when something has happened in the lock directory. */
  onLook(): void {
    const isSupervisors = this.#lock.isSupervisors();
    if (isSupervisors === this.#wasSupervisors) return;
    this.#wasSupervisors = isSupervisors;
    this.#requests.check();
    // It has come to an end, one way or the other.
    if (!isSupervisors && this.status.waitsSinceMs !== null) this.#watch.lookInAftermath();
  }

  /** Polls although nothing is held, until what is returned is called. */
  attend(): () => void {
    return this.#watch.attend();
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
    void this.#watch.lookTwice().then((status) => {
      if (!waits || isPending(status)) waiter.answer();
    });
    return () => {
      stopAttending();
      waiter.leave();
    };
  }

  request(request: UpdateRequest): Promise<ByHandResult> {
    return this.#requests.byHand(request);
  }

  /** Answers whoever waits, and ends it; what has been begun for the last release is brought to its end, if that is soon. */
  async close(): Promise<void> {
    this.#watch.close();
    this.#waiters.answerAll();
    await Promise.race([this.#retry.close(), sleep(ENDS_WITHIN_MS, undefined, { ref: false })]);
    this.#requests.close();
  }
}
