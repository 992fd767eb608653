declare const __BUILT_AT_MS__: number | undefined;

/** When the sidecar was built, in milliseconds of the Unix epoch; 0 when it was not built. */
export const BUILT_AT_MS = typeof __BUILT_AT_MS__ === 'undefined' ? 0 : __BUILT_AT_MS__;

/**
 * Whether a wall clock that reads this may have been set. A device without a battery starts in the past, at 1970 or at the
 * time at which its system was built, and before our own build is a time that no clock which is right ever reads.
 */
export function isClockSet(nowMs: number, builtAtMs = BUILT_AT_MS): boolean {
  return nowMs >= builtAtMs;
}
