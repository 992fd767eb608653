import { readList, type ItemReader, type Parsed } from './list-reader';

/** Days of the calendar, both included, as days since 1970-01-01. */
export interface DayRange {
  readonly firstDay: number;
  readonly lastDay: number;
}

export const DAY_MS = 86_400_000;

const DATE_FORMS = 'a day is a date that exists, like 2026-12-20';

/** Two dots, a word in which there may be single ones, or any one sign. */
const TOKENS = /\.{2,}|[^\s.]+(?:\.[^\s.]+)*|\S/g;

/** Reads `2026-12-20..2027-01-04; 2027-11-26`. Spaces do not matter. */
export function parseFreezes(text: string): Parsed<readonly DayRange[]> {
  return readList(text, TOKENS, readRange);
}

function readRange(reader: ItemReader): DayRange | null {
  const first = reader.next;
  const firstDay = readDay(reader);
  if (reader.next.text === '') return firstDay === null ? null : { firstDay, lastDay: firstDay };
  if (!reader.skip('..')) return reader.refuse(reader.next, '".." comes between the first day and the last, ";" between freezes');
  const lastDay = readDay(reader);
  if (reader.next.text !== '') return reader.refuse(reader.next, '";" comes between freezes');
  if (firstDay === null || lastDay === null) return null;
  return firstDay <= lastDay ? { firstDay, lastDay } : reader.refuse(first, 'the first day comes before the last');
}

function readDay(reader: ItemReader): number | null {
  const token = reader.take();
  if (!/^\d{4}-\d\d-\d\d$/.test(token.text)) return reader.refuse(token, DATE_FORMS);
  const midnight = new Date(`${token.text}T00:00:00Z`);
  // Some engines read the 30th of February as the 1st or 2nd of March.
  const isReal = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(token.text);
  return isReal ? midnight.getTime() / DAY_MS : reader.refuse(token, DATE_FORMS);
}
