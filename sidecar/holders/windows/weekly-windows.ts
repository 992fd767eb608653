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

/** Reads `[days] HH:MM-HH:MM`; null if it is wrong. Spaces and the case of letters do not matter. */
export function readWeeklyWindow(item: string): WeeklyWindow | null {
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
