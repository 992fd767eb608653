const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Longer times are shown without seconds. */
const SECONDS_UNTIL_MS = 10 * MINUTE_MS;

/** The page is in English, with 24 hours a day, as in the sidecar's log. */
const LOCALE = 'en-GB';
const timeOfDay = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });
const timeOfDayInSeconds = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayOfYear = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' });
const dayOfAnyYear = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' });

/** The reader's time zone, in which the page shows times. */
export const ZONE = timeOfDay.resolvedOptions().timeZone;

/** `10:02`, or with the day if it is not today: `24 Dec, 10:02`. */
export function atTime(ms: number, nowMs: number, inSeconds = false): string {
  const time = (inSeconds ? timeOfDayInSeconds : timeOfDay).format(ms);
  const [day, today] = [new Date(ms), new Date(nowMs)];
  if (day.toDateString() === today.toDateString()) return time;
  return `${(day.getFullYear() === today.getFullYear() ? dayOfYear : dayOfAnyYear).format(ms)}, ${time}`;
}

/** A length of time in at most its two largest units: `2 min 10 s`, `37 min`, `3 d`. */
export function span(ms: number): string {
  if (ms >= SECONDS_UNTIL_MS && ms < HOUR_MS) return `${String(Math.floor(ms / MINUTE_MS))} min`;
  const [large, small] = (
    [[DAY_MS, 'd', HOUR_MS, 'h'], [HOUR_MS, 'h', MINUTE_MS, 'min'], [MINUTE_MS, 'min', SECOND_MS, 's']] as const
  ).flatMap(([unitMs, unit, smallerMs, smaller]): string[] =>
    ms < unitMs ? [] : [`${String(Math.floor(ms / unitMs))} ${unit}`, smallPart(ms % unitMs, smallerMs, smaller)],
  );
  return large === undefined ? `${String(Math.floor(Math.max(0, ms) / SECOND_MS))} s` : `${large}${small ?? ''}`;
}

function smallPart(ms: number, unitMs: number, unit: string): string {
  const count = Math.floor(ms / unitMs);
  return count === 0 ? '' : ` ${String(count)} ${unit}`;
}

/** How long ago. The device's clock is not known to the second, so an instant that seems to be in the future is `just now`. */
export function ago(ms: number, nowMs: number): string {
  return nowMs - ms < SECOND_MS ? 'just now' : `${span(nowMs - ms)} ago`;
}

/** How long until then. */
export function ahead(ms: number, nowMs: number): string {
  // A second that has begun counts: the last second is 1 s, and then comes now.
  const restMs = Math.ceil((ms - nowMs) / SECOND_MS) * SECOND_MS;
  return restMs <= 0 ? 'now' : `in ${span(restMs)}`;
}
