import type { Clock } from '../../server/clock';

/** Both clocks, standing still until the test moves them. */
export class FakeClock implements Clock {
  constructor(
    public nowMs = 0,
    public wallNowMs = Date.UTC(2026, 0, 1),
  ) {}

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.wallNowMs;
  }

  /** Time goes by, for both clocks alike. */
  advance(ms: number): void {
    this.nowMs += ms;
    this.wallNowMs += ms;
  }
}
