import { Calendar } from '../../sidecar/holders/windows/calendar';
import { ALWAYS } from '../../sidecar/holders/windows/weekly-windows';
import { configOf } from './read-config';

interface Settings {
  readonly windows?: string;
  readonly freeze?: string;
  readonly zone?: string;
}

function calendarOf({ windows = '', freeze = '', zone = 'UTC' }: Settings): Calendar {
  const { times } = configOf({ UPDATE_LOCK_WINDOWS: windows, UPDATE_LOCK_FREEZE: freeze, UPDATE_LOCK_TIMEZONE: zone });
  const weekly = times.windows?.filter((window) => 'days' in window) ?? ALWAYS;
  return new Calendar({ windows: weekly, freezes: times.freezes ?? [], timeZone: times.timeZone });
}

function show(instantMs: number | null): string | null {
  return instantMs === null ? null : new Date(instantMs).toISOString().replace(':00.000Z', 'Z');
}

/** All openings and closings after an instant and up to another one. */
function changes(settings: Settings, from: string, until: string): string[] {
  const calendar = calendarOf(settings);
  const all: string[] = [];
  let atMs: number | null = Date.parse(from);
  for (;;) {
    const wasOpen = calendar.isOpen(atMs);
    atMs = wasOpen ? calendar.nextClosing(atMs) : calendar.nextOpening(atMs);
    if (atMs === null || atMs > Date.parse(until)) return all;
    all.push(`${wasOpen ? 'closes' : 'opens'} ${String(show(atMs))}`);
  }
}

test.each<[string, Settings, string, string, string[]]>([
  ['a window a day', { windows: '09:00-17:00' }, '2026-06-01', '2026-06-02', ['opens 2026-06-01T09:00Z', 'closes 2026-06-01T17:00Z']],
  [
    'a window past midnight belongs to the day on which it starts',
    { windows: 'Fri 22:00-06:00' }, '2026-06-01', '2026-06-10', ['opens 2026-06-05T22:00Z', 'closes 2026-06-06T06:00Z'],
  ],
  [
    'windows that touch or overlap are one',
    { windows: 'Mon 20:00-24:00; Tue 00:00-03:00; Tue 02:00-05:00' }, '2026-06-01', '2026-06-07', ['opens 2026-06-01T20:00Z', 'closes 2026-06-02T05:00Z'],
  ],
  ['an end at the start is a day later', { windows: 'Mon 10:00-10:00' }, '2026-06-01', '2026-06-07', ['opens 2026-06-01T10:00Z', 'closes 2026-06-02T10:00Z']],
  ['an hour that is skipped does not open', { windows: '01:00-02:00', zone: 'Europe/London' }, '2026-03-28T12:00Z', '2026-03-29T12:00Z', []],
  [
    'what begins in a skipped hour opens after it', { windows: '01:30-03:00', zone: 'Europe/London' },
    '2026-03-28T12:00Z', '2026-03-29T12:00Z', ['opens 2026-03-29T01:00Z', 'closes 2026-03-29T02:00Z'],
  ],
  [
    'what ends in a skipped hour closes before it', { windows: '00:30-01:30', zone: 'Europe/London' },
    '2026-03-28T12:00Z', '2026-03-29T12:00Z', ['opens 2026-03-29T00:30Z', 'closes 2026-03-29T01:00Z'],
  ],
  [
    'an hour that repeats opens twice', { windows: '01:15-01:45', zone: 'Europe/London' },
    '2026-10-24T12:00Z', '2026-10-25T12:00Z',
    ['opens 2026-10-25T00:15Z', 'closes 2026-10-25T00:45Z', 'opens 2026-10-25T01:15Z', 'closes 2026-10-25T01:45Z'],
  ],
  [
    'a window that ends where the clock is set back opens again', { windows: '00:00-01:30', zone: 'Europe/London' },
    '2026-10-24T12:00Z', '2026-10-25T12:00Z',
    ['opens 2026-10-24T23:00Z', 'closes 2026-10-25T00:30Z', 'opens 2026-10-25T01:00Z', 'closes 2026-10-25T01:30Z'],
  ],
  [
    'half an hour is repeated', { windows: '01:30-02:00', zone: 'Australia/Lord_Howe' },
    '2025-04-05T06:00Z', '2025-04-06T06:00Z', ['opens 2025-04-05T14:30Z', 'closes 2025-04-05T15:30Z'],
  ],
  [
    'a lost day has no windows, but the night after it has what began on it by the calendar', { windows: 'Fri 22:00-04:00', zone: 'Pacific/Apia' },
    '2011-12-29T00:00Z', '2012-01-01T00:00Z', ['opens 2011-12-30T10:00Z', 'closes 2011-12-30T14:00Z'],
  ],
  [
    'a freeze cuts off what runs into it, and what would run out of it', { windows: '22:00-06:00', freeze: '2026-12-24' },
    '2026-12-23T12:00Z', '2026-12-26T12:00Z',
    ['opens 2026-12-23T22:00Z', 'closes 2026-12-24T00:00Z', 'opens 2026-12-25T22:00Z', 'closes 2026-12-26T06:00Z'],
  ],
  [
    'a frozen day that has begun is left once more where the clock is set back over midnight',
    { windows: '20:00-23:30', freeze: '2010-11-07', zone: 'America/St_Johns' },
    '2010-11-06T12:00Z', '2010-11-08T12:00Z',
    ['opens 2010-11-06T22:30Z', 'closes 2010-11-07T02:00Z', 'opens 2010-11-07T02:31Z', 'closes 2010-11-07T03:00Z'],
  ],
  [
    'a freeze alone closes what is otherwise always open', { freeze: '2026-12-24..2026-12-26; 2027-11-26', zone: 'America/New_York' },
    '2026-01-01', '2030-01-01',
    ['closes 2026-12-24T05:00Z', 'opens 2026-12-27T05:00Z', 'closes 2027-11-26T05:00Z', 'opens 2027-11-27T05:00Z'],
  ],
  [
    'freezes that touch or overlap are one', { freeze: '2026-12-26; 2026-12-24..2026-12-25; 2026-12-24' },
    '2026-01-01', '2030-01-01', ['closes 2026-12-24T00:00Z', 'opens 2026-12-27T00:00Z'],
  ],
  [
    'windows that are always open, each past midnight, begin again with the first after a freeze', { windows: '18:00-18:00', freeze: '2026-12-24' },
    '2026-01-02', '2030-01-01', ['closes 2026-12-24T00:00Z', 'opens 2026-12-25T18:00Z'],
  ],
  [
    'a freeze of many years ends to the minute', { windows: 'Sun 02:00-03:00', freeze: '2026-01-01..2099-12-31', zone: 'Europe/London' },
    '2026-01-02', '2100-01-04', ['opens 2100-01-03T02:00Z', 'closes 2100-01-03T03:00Z'],
  ],
])('%s', (_, settings, from, until, expected) => {
  expect(changes(settings, from, until)).toEqual(expected);
});

test('both next ones are ahead, whether it is open or closed now', () => {
  const calendar = calendarOf({ windows: '09:00-17:00' });
  const nextOnes = (at: string): unknown => [show(calendar.nextOpening(Date.parse(at))), show(calendar.nextClosing(Date.parse(at)))];
  expect(nextOnes('2026-06-01T08:59Z')).toEqual(['2026-06-01T09:00Z', '2026-06-01T17:00Z']);
  expect(nextOnes('2026-06-01T09:00Z')).toEqual(['2026-06-02T09:00Z', '2026-06-01T17:00Z']);
  expect(nextOnes('2026-06-01T17:00Z')).toEqual(['2026-06-02T09:00Z', '2026-06-02T17:00Z']);
});

test.each<[string, Settings, string, string | null, string | null]>([
  ['what never closes', { windows: '00:00-24:00' }, '2026-06-01', null, null],
  ['what never closes, in two halves', { windows: '00:00-12:00; 12:00-24:00' }, '2026-06-01', null, null],
  ['what never closes, past midnight', { windows: '12:00-12:00' }, '2026-06-01', null, null],
  ['the time after the last freeze', { freeze: '2026-12-24' }, '2026-12-25', null, null],
  ['the last freeze', { freeze: '2026-12-24' }, '2026-12-24', '2026-12-25T00:00Z', null],
  ['a freeze for ever', { windows: '01:00-02:00', freeze: '2026-01-01..9999-12-31', zone: 'Africa/Casablanca' }, '2026-06-01', null, null],
  ['the end of time', { windows: '23:00-01:00' }, '9999-12-31T23:30Z', null, null],
])('%s: there is no next one', (_, settings, at, opening, closing) => {
  const calendar = calendarOf(settings);
  expect([show(calendar.nextOpening(Date.parse(at))), show(calendar.nextClosing(Date.parse(at)))]).toEqual([opening, closing]);
});

test('a frozen day begins and ends at midnight of the zone, and its next morning is not frozen though its night is closed', () => {
  const calendar = calendarOf({ windows: '20:00-08:00', freeze: '2026-12-24', zone: 'Asia/Kolkata' });
  const state = (at: string): unknown => [calendar.isFrozen(Date.parse(at)), calendar.isOpen(Date.parse(at))];
  expect(state('2026-12-23T18:29:59.999Z')).toEqual([false, true]);
  expect(state('2026-12-23T18:30Z')).toEqual([true, false]);
  expect(state('2026-12-24T18:29:59.999Z')).toEqual([true, false]);
  expect(state('2026-12-24T18:30Z')).toEqual([false, false]);
});

test('a window whose hour is skipped right after a freeze opens a week later', () => {
  const settings = { windows: 'Sun 01:00-02:00', freeze: '2026-03-01..2026-03-28', zone: 'Europe/London' };
  expect(changes(settings, '2026-03-01', '2026-04-06')).toEqual(['opens 2026-04-05T00:00Z', 'closes 2026-04-05T01:00Z']);
});

test.each([
  ['Etc/GMT+5', '2026-06-01T14:00Z'],
  ['Asia/Kathmandu', '2026-06-01T03:15Z'],
  ['Pacific/Kiritimati', '2026-06-01T19:00Z'],
  ['Antarctica/Troll', '2026-06-01T07:00Z'],
])('in %s nine in the morning is %s', (zone, expected) => {
  const calendar = calendarOf({ windows: '09:00-10:00', zone });
  expect(show(calendar.nextOpening(Date.parse('2026-06-01')))).toBe(expected);
});
