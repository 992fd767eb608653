/** Less than this may come from the answer's way, and its times in whole seconds. Milliseconds. */
const NOT_WORTH_MS = 2000;

/** The time on the device, whose clock may be set otherwise than this one: what the sidecar tells is in it. */
export class DeviceClock {
  /** By how much the device's clock is ahead, in milliseconds. */
  aheadMs = 0;

  nowMs(): number {
    return Date.now() + this.aheadMs;
  }

  /** @param date the `Date` of an answer to what was asked at `askedAtMs` */
  read(date: string | null, askedAtMs: number): void {
    const toldMs = Date.parse(date ?? '');
    if (Number.isNaN(toldMs)) return;
    // Seconds are cut off: on average it was half a second later.
    const aheadMs = toldMs + 500 - (askedAtMs + Date.now()) / 2;
    this.aheadMs = Math.abs(aheadMs) < NOT_WORTH_MS ? 0 : aheadMs;
  }
}
