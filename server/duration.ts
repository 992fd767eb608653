const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
type Unit = keyof typeof UNITS_MS;

/** What a duration may look like, for error messages and the OpenAPI document. */
export const DURATION_FORMS = 'a number of seconds, or 500ms, 90s, 5m, 1h30m, 1d';

const AMOUNT = '[0-9]+(?:\\.[0-9]+)?';
const AMOUNTS = Object.keys(UNITS_MS).map((unit) => `${AMOUNT}${unit}`);

/**
 * A duration as text: seconds without a unit, or one or more units, each at most once, the largest first. The OpenAPI document has it
 * too, so it does without lookaheads, which not every language's expressions have.
 */
export const DURATION_PATTERN = new RegExp(
  `^(?:${[AMOUNT, ...AMOUNTS.map((first, index) => `${first}${AMOUNTS.slice(index + 1).map((each) => `(?:${each})?`).join('')}`)].join('|')})$`,
);

/** The longest text that is read as a duration, in characters. */
export const DURATION_MAX_LENGTH = 64;

/** Milliseconds, or null if the text is not a duration. */
export function parseDuration(text: string): number | null {
  if (text.length > DURATION_MAX_LENGTH || !DURATION_PATTERN.test(text)) return null;
  if (/\d$/.test(text)) return secondsToMs(Number(text));
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|[dhms])/g)) {
    totalMs += Number(amount) * UNITS_MS[unit as Unit];
  }
  return Number.isFinite(totalMs) ? Math.round(totalMs) : null;
}

/** Whole milliseconds of a number of seconds, or null if it is not one. */
export function secondsToMs(seconds: number): number | null {
  return Number.isFinite(seconds) && seconds >= 0 ? Math.round(seconds * 1000) : null;
}

/** The shortest text that {@link parseDuration} reads as the same length of time: `1h30m`, `500ms`, `0s`. */
export function formatDuration(ms: number): string {
  let restMs = Math.round(ms);
  let text = '';
  for (const [unit, unitMs] of Object.entries(UNITS_MS)) {
    const amount = Math.floor(restMs / unitMs);
    if (amount > 0) text += `${String(amount)}${unit}`;
    restMs -= amount * unitMs;
  }
  return text === '' ? '0s' : text;
}
