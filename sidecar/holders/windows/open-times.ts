import { DAY_MS, type DayRange } from './freezes';
import { MINUTES_A_DAY, type WeeklyWindow } from './weekly-windows';

/** From a minute of the day up to, but without, another one. */
interface Interval {
  readonly startMinute: number;
  readonly endMinute: number;
}

const MINUTE_MS = 60_000;
const DAYS_A_WEEK = [0, 1, 2, 3, 4, 5, 6];

/**
 * When it is open by the wall clock, whose readings are counted here as if it showed UTC: `localMs`. Knows nothing of zones.
 *
 * A window belongs to the day on which it starts. So on a frozen day nothing starts, and nothing goes on that started the
 * day before; and in the night after it nothing goes on that would have started on it.
 */
export class OpenTimes {
  /** Whether it is always open, but for freezes and the day after one. */
  readonly isAlways: boolean;
  /** Whether it is never open. */
  readonly isNever: boolean;
  /** In ascending order, with a day or more between them. */
  readonly #freezes: readonly DayRange[];
  /** By day of the week: what has started on that day. */
  readonly #started: readonly (readonly Interval[])[];
  /** The same, and what goes on from the day before. */
  readonly #usual: readonly (readonly Interval[])[];

  constructor(windows: readonly WeeklyWindow[], freezes: readonly DayRange[]) {
    this.#freezes = mergeRanges(freezes);
    const started = DAYS_A_WEEK.map((day) =>
      windows
        .filter(({ days }) => days.includes(day))
        .map(({ startMinute, endMinute }) => ({ startMinute, endMinute: Math.min(endMinute, MINUTES_A_DAY) })),
    );
    const goingOn = DAYS_A_WEEK.map((day) =>
      windows
        .filter(({ days, endMinute }) => days.includes((day + 6) % 7) && endMinute > MINUTES_A_DAY)
        .map(({ endMinute }) => ({ startMinute: 0, endMinute: endMinute - MINUTES_A_DAY })),
    );
    this.#started = started.map(mergeIntervals);
    this.#usual = started.map((intervals, day) => mergeIntervals([...intervals, ...(goingOn[day] ?? [])]));
    this.isNever = this.#usual.every((intervals) => intervals.length === 0);
    this.isAlways = this.#usual.every(([first]) => first?.startMinute === 0 && first.endMinute === MINUTES_A_DAY);
  }

  isOpen(localMs: number): boolean {
    const minute = minuteOf(localMs);
    return this.#openOn(dayOf(localMs)).some(({ startMinute, endMinute }) => startMinute <= minute && minute < endMinute);
  }

  isFrozen(localMs: number): boolean {
    return this.#isFrozenDay(dayOf(localMs));
  }

  /** The first reading from one up to, but without, another one at which it is open, or is not; null if there is none. */
  first(isOpen: boolean, fromMs: number, untilMs: number): number | null {
    let atMs = fromMs;
    while (atMs < untilMs) {
      const day = dayOf(atMs);
      const minute = minuteOf(atMs);
      const interval = this.#openOn(day).find(({ endMinute }) => endMinute > minute);
      const isInside = interval !== undefined && interval.startMinute <= minute;
      if (isInside === isOpen) return atMs;
      const changesAtMinute = isInside ? interval.endMinute : (interval?.startMinute ?? MINUTES_A_DAY);
      atMs = day * DAY_MS + changesAtMinute * MINUTE_MS;
    }
    return null;
  }

  /** The first freeze that ends at or after a reading. */
  freezeFrom(localMs: number): DayRange | undefined {
    return this.#freezes[this.#freezeIndex(dayOf(localMs))];
  }

  #openOn(day: number): readonly Interval[] {
    if (this.#isFrozenDay(day)) return [];
    // The first of January 1970 was a Thursday.
    const weekday = (((day + 4) % 7) + 7) % 7;
    return (this.#isFrozenDay(day - 1) ? this.#started : this.#usual)[weekday] ?? [];
  }

  #isFrozenDay(day: number): boolean {
    const freeze = this.#freezes[this.#freezeIndex(day)];
    return freeze !== undefined && freeze.firstDay <= day;
  }

  /** Of the first freeze that ends on a day or after it. There may be a line for each weekend of many years. */
  #freezeIndex(day: number): number {
    let low = 0;
    let high = this.#freezes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#freezes[middle]?.lastDay ?? Infinity) < day) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function dayOf(localMs: number): number {
  return Math.floor(localMs / DAY_MS);
}

function minuteOf(localMs: number): number {
  return (localMs - dayOf(localMs) * DAY_MS) / MINUTE_MS;
}

/** In ascending order; what overlaps or touches becomes one. */
function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const interval of [...intervals].sort((a, b) => a.startMinute - b.startMinute)) {
    const last = merged.at(-1);
    if (last === undefined || interval.startMinute > last.endMinute) merged.push(interval);
    else merged[merged.length - 1] = { ...last, endMinute: Math.max(last.endMinute, interval.endMinute) };
  }
  return merged;
}

function mergeRanges(ranges: readonly DayRange[]): DayRange[] {
  const merged: DayRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.firstDay - b.firstDay)) {
    const last = merged.at(-1);
    if (last === undefined || range.firstDay > last.lastDay + 1) merged.push(range);
    else merged[merged.length - 1] = { ...last, lastDay: Math.max(last.lastDay, range.lastDay) };
  }
  return merged;
}
