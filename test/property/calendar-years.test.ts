import { Calendar, type Schedule } from '../../sidecar/holders/windows/calendar';
import { parseFreezes } from '../../sidecar/holders/windows/freezes';
import { parseList } from '../../sidecar/holders/windows/parse-list';
import { readWeeklyWindow } from '../../sidecar/holders/windows/weekly-windows';
import { changesOf, ODD_YEARS, readWallClock, type WallClock } from './wall-clock-model';

/** Windows that begin, end or lie where clocks jump; and freezes around the days on which they do. */
const SCHEDULES: readonly (readonly [windows: string, freezes: (year: number) => string])[] = [
  ['00:00-00:30; 02:30-03:15; 23:30-23:59', () => ''],
  ['Fri-Sun 22:00-06:00; Wed 13:00-13:00', () => ''],
  ['Sun 01:00-02:00; Sun 03:00-04:00; Thu 00:00-24:00; Fri 00:00-01:00', (year) => `${String(year)}-03-20..${String(year)}-04-15`],
  ['23:00-01:45', (year) => `${String(year)}-10-28; ${String(year)}-12-31; ${String(year)}-08-20; ${String(year)}-02-28..${String(year)}-03-01`],
  ['00:00-24:00', (year) => `${String(year)}-12-29; ${String(year)}-10-29..${String(year)}-11-05`],
];

test.each(ODD_YEARS)('%s from %i to %i: every change is the one that a look at the clock each minute shows', (zone, firstYear, lastYear) => {
  const wallClock = readWallClock(zone, firstYear, lastYear);
  for (const [windows, freezes] of SCHEDULES) {
    const schedule = { windows: windowsOf(windows), freezes: freezesOf(freezes(lastYear)), timeZone: zone };
    expect({ windows, changes: walk(new Calendar(schedule), wallClock) }).toEqual({ windows, changes: named(changesOf(wallClock, schedule)) });
  }
});

test('what is open or frozen at any minute is what the clock then reads', () => {
  const wallClock = readWallClock('Pacific/Apia', 2011, 2012);
  const schedule: Schedule = { windows: windowsOf('Thu-Sat 22:00-04:00'), freezes: freezesOf('2011-12-31; 2012-04-01'), timeZone: 'Pacific/Apia' };
  const calendar = new Calendar(schedule);
  const changes = changesOf(wallClock, schedule);
  for (const [index, [atMs, isOpen]] of changes.entries()) {
    const endMs = changes[index + 1]?.[0] ?? atMs + 60_000;
    for (const instantMs of [atMs, atMs + 1, (atMs + endMs) / 2, endMs - 1]) expect(calendar.isOpen(instantMs)).toBe(isOpen);
  }
  const frozenHours = wallClock.minutes.filter((_, index) => index % 60 === 0 && calendar.isFrozen(wallClock.startMs + index * 60_000));
  const frozenDates = frozenHours.map((minute) => Math.floor(minute / 1440) * 86_400_000);
  expect(new Set(frozenDates)).toEqual(new Set([Date.UTC(2011, 11, 31), Date.UTC(2012, 3, 1)]));
  // The second one has 25 hours there.
  expect(frozenHours).toHaveLength(24 + 25);
});

/** The changes as the calendar tells them, one after the other. */
function walk(calendar: Calendar, { startMs, minutes }: WallClock): string[] {
  const endMs = startMs + minutes.length * 60_000;
  const changes: [number, boolean][] = [];
  for (let atMs: number | null = startMs; atMs !== null && atMs < endMs; ) {
    const isOpen = calendar.isOpen(atMs);
    changes.push([atMs, isOpen]);
    atMs = isOpen ? calendar.nextClosing(atMs) : calendar.nextOpening(atMs);
  }
  return named(changes);
}

function named(changes: readonly [number, boolean][]): string[] {
  return changes.map(([atMs, isOpen]) => `${new Date(atMs).toISOString()} ${isOpen ? 'opens' : 'closes'}`);
}

function windowsOf(text: string): Schedule['windows'] {
  return valueOf(parseList(text, readWeeklyWindow));
}

function freezesOf(text: string): Schedule['freezes'] {
  return text === '' ? [] : valueOf(parseFreezes(text));
}

function valueOf<T>(parsed: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!parsed.ok) throw new Error('the test is wrong');
  return parsed.value;
}
