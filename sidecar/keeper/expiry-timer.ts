import { MAX_TIMER_MS, type Clock } from '../../server/clock';

/**
 * One timer for the next end of a lease. It is only ever set to an earlier time: a lease that was renewed is found not to be due
 * when the timer fires, so a renewal costs nothing here.
 */
export class ExpiryTimer {
  #timer: NodeJS.Timeout | undefined;
  #atMs = Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly onDue: () => void,
  ) {}

  /** Makes the call come by this time of the monotonic clock; null if no call is needed. */
  atLatest(endsAtMs: number | null): void {
    if (endsAtMs === null || endsAtMs >= this.#atMs) return;
    clearTimeout(this.#timer);
    this.#atMs = endsAtMs;
    const inMs = Math.min(Math.max(Math.ceil(endsAtMs - this.clock.monotonicMs()), 0), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#atMs = Infinity;
      this.onDue();
    }, inMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
