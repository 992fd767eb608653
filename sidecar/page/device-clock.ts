/** A smaller difference may come from the time that the answer takes, and from its whole seconds. Milliseconds. */
const NEGLIGIBLE_MS = 2000;

/** The time by the device's clock, which may differ from the reader's. All times that the sidecar sends are by the device's clock. */
export class DeviceClock {
  /** How far the device's clock is ahead of the reader's, in milliseconds. */
  aheadMs = 0;

  nowMs(): number {
    return Date.now() + this.aheadMs;
  }

  /** @param date the `Date` header of the answer to a request that was sent at `askedAtMs` */
  read(date: string | null, askedAtMs: number): void {
    const answeredMs = Date.parse(date ?? '');
    if (Number.isNaN(answeredMs)) return;
    // The header has whole seconds: on average it was half a second later.
    const aheadMs = answeredMs + 500 - (askedAtMs + Date.now()) / 2;
    this.aheadMs = Math.abs(aheadMs) < NEGLIGIBLE_MS ? 0 : aheadMs;
  }
}
