import type { Clock } from '../../server/clock';
import type { UpdateLock } from './update-lock';

/** How often an operation on the lock that failed is tried again by itself. Milliseconds. */
export const RETRY_MS = 5000;

/** Requests make us try again too, but not more often than this. Milliseconds. */
export const RETRY_AT_MOST_EVERY_MS = 1000;

/** How often we look at a flock that is missing, or that may end without our being told. Milliseconds. */
const CHECK_MS = 1000;

/**
 * How long the lock has to be free before others get its flock. Milliseconds. An app that takes the lock again sooner has the
 * same file once more, at no cost.
 */
const RENEW_AFTER_MS = 500;

/** Takes the flock of an open lock again where it is missing, and lets others have it once the lock is free. */
export class FlockUpkeep {
  #triedAtMs = -Infinity;
  #checkTimer: NodeJS.Timeout | undefined;
  #renewTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly lock: UpdateLock,
    private readonly clock: Clock,
    private readonly onFailure: (problem: string) => void,
  ) {}

  /** Begins to look after the flock of a lock that was just opened. */
  start(): void {
    const problem = this.lock.flockProblem();
    if (problem !== null) this.onFailure(problem);
    this.#checkWhileNeeded();
  }

  /** At a request: tries again to take a flock that is missing, unless that was done just now. */
  retry(): void {
    if (this.lock.flockProblem() !== null && this.clock.monotonicMs() - this.#triedAtMs >= RETRY_AT_MOST_EVERY_MS) this.#hold();
  }

  /**
   * Before the lock is taken: a guard of a former process may end at any moment while the lock is free, so its flock is replaced.
   * @returns what is wrong, null if the lock may be taken
   */
  prepareTake(): string | null {
    clearTimeout(this.#renewTimer);
    if (this.lock.isFlockInherited()) this.#renew();
    return this.lock.isFlockInherited() ? 'the flock of a former process cannot be replaced' : null;
  }

  /** After the lock was given back: lets others have its flock in a moment, or at once where it is not our own. */
  renewSoon(): void {
    clearTimeout(this.#renewTimer);
    if (this.lock.isFresh()) return;
    if (this.#isNotOurs()) this.#renew();
    else this.#renewTimer = setTimeout(() => { this.#renew(); }, RENEW_AFTER_MS).unref();
  }

  close(): void {
    clearInterval(this.#checkTimer);
    clearTimeout(this.#renewTimer);
  }

  #hold(): void {
    this.#triedAtMs = this.clock.monotonicMs();
    const problem = this.lock.holdFlock();
    if (problem !== null) this.onFailure(problem);
    this.#checkWhileNeeded();
  }

  #renew(): void {
    const problem = this.lock.renew();
    if (problem !== null) {
      this.onFailure(problem);
      this.#renewTimer = setTimeout(() => { this.#renew(); }, RETRY_MS).unref();
    }
    this.#checkWhileNeeded();
  }

  /** Nothing tells us that a flock which a former process's guard holds has ended, or that a missing one is free. */
  #checkWhileNeeded(): void {
    if (!this.#isNotOurs()) {
      clearInterval(this.#checkTimer);
      this.#checkTimer = undefined;
      return;
    }
    this.#checkTimer ??= setInterval(() => {
      if (this.lock.flockProblem() === null) this.#checkWhileNeeded();
      else this.#hold();
    }, CHECK_MS).unref();
  }

  /** Whether the flock is a guard's of a former process, or missing. */
  #isNotOurs(): boolean {
    return this.lock.isFlockInherited() || this.lock.flockProblem() !== null;
  }
}
