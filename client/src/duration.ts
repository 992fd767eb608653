import { InvalidRequestError } from './errors/invalid-request-error';
import type { Duration } from './types';

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** As the sidecar reads it: seconds without a unit, or one or more units, each at most once, the largest first. */
const PATTERN = /^(?=.)(?:\d+(?:\.\d+)?|(?:\d+(?:\.\d+)?d)?(?:\d+(?:\.\d+)?h)?(?:\d+(?:\.\d+)?m(?!s))?(?:\d+(?:\.\d+)?s)?(?:\d+(?:\.\d+)?ms)?)$/;

/** Milliseconds, or null if it is not a duration. `Infinity` is one, for waits without a limit. */
export function parseDuration(duration: Duration): number | null {
  if (typeof duration === 'number') return duration >= 0 ? Math.round(duration * 1000) : null;
  if (typeof duration !== 'string' || duration.length > 64 || !PATTERN.test(duration)) return null;
  if (/\d$/.test(duration)) return Math.round(Number(duration) * 1000);
  let totalMs = 0;
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)(ms|[dhms])/g)) {
    totalMs += Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS];
  }
  return Math.round(totalMs);
}

/** @throws InvalidRequestError if it is not a duration */
export function toMs(duration: Duration, what: string): number {
  const ms = parseDuration(duration);
  if (ms !== null) return ms;
  const message = `${what}: ${JSON.stringify(duration)} is not a duration; allowed is a number of seconds, or 500ms, 90s, 5m, 1h30m, 1d`;
  throw new InvalidRequestError(message, 'invalid');
}

/**
 * A duration as it was given: sent so, the sidecar's answer quotes it so.
 * @throws InvalidRequestError if it is not a duration
 */
export function checkDuration(duration: Duration | undefined, what: string): Duration | undefined {
  if (duration !== undefined) toMs(duration, what);
  return duration;
}
