import { readList, type ItemReader, type Parsed, type Token } from './list-reader';

/** A window as it is written: on each of these days from a minute of the day to another one. */
export interface WeeklyWindow {
  /** Days on which it starts: 0 is Sunday, in ascending order, each once. */
  readonly days: readonly number[];
  /** From 0 to 1439. */
  readonly startMinute: number;
  /** After the start, and at most a day after it: above 1440 it is on the next day. */
  readonly endMinute: number;
}

export const MINUTES_A_DAY = 24 * 60;

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];

/** What is open all the time, but for freezes. */
export const ALWAYS: readonly WeeklyWindow[] = [{ days: EVERY_DAY, startMinute: 0, endMinute: MINUTES_A_DAY }];

const DAY_FORMS = 'a day is Mon, Tue, Wed, Thu, Fri, Sat or Sun (none: every day)';
const START_FORMS = 'a start is a time from 00:00 to 23:59';
const END_FORMS = 'an end is a time from 00:00 to 24:00';

/** A word, a number with whatever clings to it, or any one sign. */
const TOKENS = /\p{L}[\p{L}.]*|\d[\p{L}\d:.]*|\S/gu;

/**
 * Reads `[days] HH:MM-HH:MM`, several separated by `;`. Spaces and the case of letters do not matter. There is always
 * at least one window in what is read.
 */
export function parseWindows(text: string): Parsed<readonly WeeklyWindow[]> {
  return readList(text, TOKENS, readWindow);
}

function readWindow(reader: ItemReader): WeeklyWindow | null {
  if (reader.next.text === '') return reader.refuse(reader.next, 'a window is like Mon-Fri 22:00-06:00');
  const days = isTime(reader.next) ? EVERY_DAY : readDays(reader);
  if (days === null) return null;
  if (!isTime(reader.next)) return reader.refuse(reader.next, `${START_FORMS}, and "," comes between days`);
  const startMinute = readTime(reader, MINUTES_A_DAY - 1, START_FORMS);
  if (!reader.skip('-')) return reader.refuse(reader.next, '"-" comes between start and end');
  if (!isTime(reader.next)) return reader.refuse(reader.next, END_FORMS);
  const endMinute = readTime(reader, MINUTES_A_DAY, END_FORMS);
  if (reader.next.text !== '') return reader.refuse(reader.next, '";" comes between windows');
  if (startMinute === null || endMinute === null) return null;
  return { days, startMinute, endMinute: endMinute <= startMinute ? endMinute + MINUTES_A_DAY : endMinute };
}

/** Null if there is a sign where a day should be; a word that is no day is noted and read over. */
function readDays(reader: ItemReader): readonly number[] | null {
  const days = new Set<number>();
  do {
    const first = reader.next;
    if (!isWord(first)) return reader.refuse(first, DAY_FORMS);
    const firstDay = readDay(reader);
    if (!reader.skip('-')) {
      days.add(firstDay);
      continue;
    }
    if (!isWord(reader.next)) return reader.refuse(reader.next, DAY_FORMS);
    const lastDay = readDay(reader);
    if (firstDay < 0 || lastDay < 0) continue;
    if (firstDay === lastDay) reader.refuse(first, 'this could be one day or a week, so write only the day, or no day at all');
    for (let day = firstDay; day !== lastDay; day = (day + 1) % 7) days.add(day);
    days.add(lastDay);
  } while (reader.skip(','));
  return [...days].sort();
}

/** Its number; negative, and noted, if the word is no day. */
function readDay(reader: ItemReader): number {
  const token = reader.take();
  const day = DAYS.indexOf(token.text.toLowerCase());
  if (day < 0) reader.refuse(token, DAY_FORMS);
  return day;
}

/** Minutes after midnight; null, and noted, if it is no such time. */
function readTime(reader: ItemReader, maxMinute: number, allowed: string): number | null {
  const token = reader.take();
  const [, hours, minutes] = /^(\d\d):([0-5]\d)$/.exec(token.text) ?? [];
  const minute = Number(hours) * 60 + Number(minutes);
  return minute <= maxMinute ? minute : reader.refuse(token, allowed);
}

function isTime({ text }: Token): boolean {
  return /^\d/.test(text);
}

function isWord({ text }: Token): boolean {
  return /^\p{L}/u.test(text);
}
