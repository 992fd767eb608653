import type { Clock } from '../../../server/clock';

/**
 * For how long the lock is held while the Supervisor does not say what waits, in milliseconds. An API that is out of reach for good, as with
 * a key that is not right any more, must not keep the device from updates for good; a Supervisor that restarts is back long before.
 */
const WITHOUT_ANSWER_MS = 15 * 60_000;

/** For how long the Supervisor has not said what waits. */
export class SupervisorSilence {
  #sinceMs: number | null;

  constructor(private readonly clock: Pick<Clock, 'monotonicMs'>) {
    this.#sinceMs = clock.monotonicMs();
  }

  /** To be called when the state of updates may have changed. */
  look(isAnswering: boolean): void {
    this.#sinceMs = isAnswering ? null : (this.#sinceMs ?? this.clock.monotonicMs());
  }

  /** When nobody waits for an answer any more, in monotonic milliseconds; Infinity while there is one. */
  get endsAtMs(): number {
    return this.#sinceMs === null ? Infinity : this.#sinceMs + WITHOUT_ANSWER_MS;
  }

  get isTooLong(): boolean {
    return this.clock.monotonicMs() >= this.endsAtMs;
  }
}
