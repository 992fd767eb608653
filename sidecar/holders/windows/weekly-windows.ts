export type ParsedList<T> = { readonly ok: true; readonly value: readonly T[] } | { readonly ok: false; readonly wrongItems: readonly string[] };

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

/** Anything, which has to be a list of days; a start from 00:00 to 23:59; an end from 00:00 to 24:00. */
const WINDOW = /^(.*?)\s*((?:[01]\d|2[0-3]):[0-5]\d)\s*-\s*((?:[01]\d|2[0-3]):[0-5]\d|24:00)$/s;

/**
 * Reads `[days] HH:MM-HH:MM`, several separated by `;`. Spaces and the case of letters do not matter. There is always
 * at least one window in what is read.
 */
export function parseWindows(text: string): ParsedList<WeeklyWindow> {
  return parseList(text, readWindow);
}

function readWindow(item: string): WeeklyWindow | null {
  const [, dayList, start, end] = WINDOW.exec(item) ?? [];
  if (dayList === undefined || start === undefined || end === undefined) return null;
  const days = dayList === '' ? EVERY_DAY : readDays(dayList);
  if (days === null) return null;
  const [startMinute, endMinute] = [minuteOf(start), minuteOf(end)];
  return { days, startMinute, endMinute: endMinute <= startMinute ? endMinute + MINUTES_A_DAY : endMinute };
}

/** The days of `Mon-Wed, Sat`; null if they are wrong. */
function readDays(list: string): readonly number[] | null {
  const days = new Set<number>();
  for (const part of list.toLowerCase().split(',')) {
    const [first = -1, last = first, ...more] = part.split('-').map((name) => DAYS.indexOf(name.trim()));
    // `Mon-Mon` could be one day or a week.
    if (first < 0 || last < 0 || more.length > 0 || (part.includes('-') && first === last)) return null;
    for (let day = first; day !== last; day = (day + 1) % 7) days.add(day);
    days.add(last);
  }
  return [...days].sort();
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

/**
 * Reads items separated by `;`, of which there may be one after the last. All wrong items are reported together.
 * @param readItem returns null for an item that is wrong; it gets no spaces around the item
 */
export function parseList<T>(text: string, readItem: (item: string) => T | null): ParsedList<T> {
  const items = text.split(';').map((item) => item.trim());
  if (items.length > 1 && items.at(-1) === '') items.pop();
  const read = items.map((item) => ({ item, value: readItem(item) }));
  const wrongItems = read.filter(({ value }) => value === null).map(({ item }) => item);
  if (wrongItems.length > 0) return { ok: false, wrongItems };
  return { ok: true, value: read.flatMap(({ value }) => (value === null ? [] : [value])) };
}
