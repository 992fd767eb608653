import { parseList, type ParsedList } from './parse-list';

/** Days of the calendar, both included, as days since 1970-01-01. */
export interface DayRange {
  readonly firstDay: number;
  readonly lastDay: number;
}

export const DAY_MS = 86_400_000;

/** Reads `2026-12-20..2027-01-04; 2027-11-26`. Spaces do not matter. */
export function parseFreezes(text: string): ParsedList<DayRange> {
  return parseList(text, readRange);
}

function readRange(item: string): DayRange | null {
  const [, first = '', last = first] = /^(\d{4}-\d\d-\d\d)(?:\s*\.\.\s*(\d{4}-\d\d-\d\d))?$/.exec(item) ?? [];
  const [firstDay, lastDay] = [parseDay(first), parseDay(last)];
  return firstDay === null || lastDay === null || firstDay > lastDay ? null : { firstDay, lastDay };
}

/** The day of `2026-12-20`, in days since 1970-01-01; null if there is no such day. */
export function parseDay(date: string): number | null {
  const midnight = new Date(`${date}T00:00:00Z`);
  // V8 reads the 30th of February as the 2nd of March.
  const isReal = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
  return isReal ? midnight.getTime() / DAY_MS : null;
}
