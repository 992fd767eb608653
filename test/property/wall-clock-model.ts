import type { Schedule } from '../../sidecar/holders/windows/calendar';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Zones and years in which wall clocks jump in every way they do. */
export const ODD_YEARS: readonly (readonly [zone: string, firstYear: number, lastYear: number])[] = [
  ['UTC', 2026, 2026],
  ['Europe/London', 2026, 2027],
  // By half an hour.
  ['Australia/Lord_Howe', 2024, 2025],
  // No 30 December 2011, and no longer any summer time from 2021 on.
  ['Pacific/Apia', 2011, 2012],
  // No 21 August 1993.
  ['Pacific/Kwajalein', 1993, 1993],
  // At midnight: some days have no first hour, or their last one twice.
  ['America/Sao_Paulo', 2017, 2018],
  ['Asia/Beirut', 2024, 2024],
  ['America/Havana', 2025, 2025],
  // Four times a year because of Ramadan, twice from and to midnight.
  ['Africa/Cairo', 2010, 2010],
  ['Africa/Casablanca', 2025, 2026],
  // Two changes within a week.
  ['Asia/Gaza', 2040, 2040],
  // One minute after midnight, with half an hour to UTC.
  ['America/St_Johns', 2010, 2010],
  // By two hours.
  ['Antarctica/Troll', 2025, 2025],
  // Goes over to another zone instead of to summer time.
  ['America/Scoresbysund', 2023, 2024],
];

/** What the wall clock of a zone reads at each minute from an instant on, as minutes since the year 1970 of that clock. */
export interface WallClock {
  readonly zone: string;
  readonly startMs: number;
  readonly minutes: Float64Array;
}

const wallClocks = new Map<string, WallClock>();

/** Asks `Intl` for the digits that the clock shows, which the calendar itself never does. */
export function readWallClock(zone: string, firstYear: number, lastYear: number): WallClock {
  const key = `${zone} ${String(firstYear)} ${String(lastYear)}`;
  const known = wallClocks.get(key);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric',
  });
  const read = (instantMs: number): number => {
    const digits = Object.fromEntries(format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]));
    const { year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN } = digits;
    return Date.UTC(year, month - 1, day, hour, minute) / MINUTE_MS;
  };
  const startMs = Date.UTC(firstYear, 0, 1);
  const hours = (Date.UTC(lastYear + 1, 0, 1) - startMs) / HOUR_MS;
  const minutes = new Float64Array(hours * 60);
  let next = read(startMs);
  for (let hour = 0; hour < hours; hour += 1) {
    const first = next;
    const hourMs = startMs + hour * HOUR_MS;
    next = read(hourMs + HOUR_MS);
    for (let minute = 0; minute < 60; minute += 1) {
      minutes[hour * 60 + minute] = next === first + 60 ? first + minute : read(hourMs + minute * MINUTE_MS);
    }
  }
  const wallClock = { zone, startMs, minutes };
  wallClocks.set(key, wallClock);
  return wallClock;
}

interface MinuteRange {
  readonly first: number;
  readonly end: number;
}

/** The minutes of the wall clock in which updates are allowed on a day, straight from the words of the interface. */
function openMinutesOn(today: number, { windows, freezes }: Pick<Schedule, 'windows' | 'freezes'>): MinuteRange[] {
  const isFrozen = (day: number): boolean => freezes.some(({ firstDay, lastDay }) => firstDay <= day && day <= lastDay);
  if (isFrozen(today)) return [];
  return [today, today - 1]
    .filter((startDay) => !isFrozen(startDay))
    .flatMap((startDay) => {
      const weekday = new Date(startDay * DAY_MS).getUTCDay();
      return windows
        .filter(({ days }) => days.includes(weekday))
        .map(({ startMinute, endMinute }) => ({ first: startDay * 1440 + startMinute, end: startDay * 1440 + endMinute }));
    });
}

/** Every change from the first minute on: `[instantMs, isOpen]`, and first how it begins. */
export function changesOf({ startMs, minutes }: WallClock, schedule: Pick<Schedule, 'windows' | 'freezes'>): [number, boolean][] {
  const changes: [number, boolean][] = [];
  let wasOpen: boolean | undefined;
  let midnight = -Infinity;
  let open: MinuteRange[] = [];
  for (let index = 0; index < minutes.length; index += 1) {
    const wallMinute = minutes[index] ?? 0;
    if (wallMinute < midnight || wallMinute >= midnight + 1440) {
      const day = Math.floor(wallMinute / 1440);
      midnight = day * 1440;
      open = openMinutesOn(day, schedule);
    }
    const isOpen = open.some(({ first, end }) => first <= wallMinute && wallMinute < end);
    if (isOpen !== wasOpen) changes.push([startMs + index * MINUTE_MS, isOpen]);
    wasOpen = isOpen;
  }
  return changes;
}
