const SECOND_MS = 1000;
const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400 * SECOND_MS],
  ['h', 3600 * SECOND_MS],
  ['min', 60 * SECOND_MS],
  ['s', SECOND_MS],
];

/** A duration in its two largest units: `12 min`, `4 min 12 s`, `1 d 3 h`. */
export function span(ms: number): string {
  let restMs = Math.max(0, Math.round(ms / SECOND_MS) * SECOND_MS);
  const first = UNITS.findIndex(([, unitMs]) => restMs >= unitMs);
  if (first === -1) return '0 s';
  const parts: string[] = [];
  for (const [unit, unitMs] of UNITS.slice(first, first + 2)) {
    const amount = Math.floor(restMs / unitMs);
    restMs -= amount * unitMs;
    if (amount > 0) parts.push(`${String(amount)} ${unit}`);
  }
  return parts.join(' ');
}

/** Local wall time: `10:02`, with the date if it is not today. */
export function wallTime(instant: string, nowMs: number): string {
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) return '?';
  const now = new Date(nowMs);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  const isToday = at.toDateString() === now.toDateString();
  return isToday ? time : `${String(at.getFullYear())}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** `10:02 (12 min ago)` */
export function past(instant: string, nowMs: number): string {
  return `${wallTime(instant, nowMs)} (${span(nowMs - Date.parse(instant))} ago)`;
}

/** `10:07 (in 4 min 12 s)` */
export function future(instant: string, nowMs: number): string {
  const leftMs = Date.parse(instant) - nowMs;
  return `${wallTime(instant, nowMs)} (${leftMs > 0 ? `in ${span(leftMs)}` : 'now'})`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Local date and time to the second: `2026-11-23 10:02:11`. */
export function timeStamp(instant: string | number): string {
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) return '?';
  const date = `${String(at.getFullYear())}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
