import { parseTimeZone, TimeZone } from '../../server/time-zone';

test.each([
  ['Europe/London', 'Europe/London'],
  ['europe/LONDON', 'Europe/London'],
  ['UTC', 'UTC'],
  ['utc', 'UTC'],
  ['Etc/GMT+5', 'Etc/GMT+5'],
  // Listed under one name, which need not be the one that is used today.
  ['Europe/Kyiv', 'Europe/Kyiv'],
  ['Europe/Kiev', 'Europe/Kiev'],
  ['US/Pacific', 'US/Pacific'],
])('%s is the zone %s', (name, expected) => {
  expect(parseTimeZone(name)).toBe(expected);
});

test.each(['', 'Mars/Olympus', 'Europe/', 'CST6CDT,M3.2.0,M11.1.0', 'UTC+1', '/etc/localtime', 'Local'])('%j is none', (name) => {
  expect(parseTimeZone(name)).toBeNull();
});

test.each([
  ['UTC', '2026-06-01T00:00Z', 0],
  ['Africa/Abidjan', '2026-06-01T00:00Z', 0],
  ['Europe/London', '2026-06-01T00:00Z', 60],
  ['America/St_Johns', '2026-01-01T00:00Z', -210],
  ['Asia/Kathmandu', '2026-01-01T00:00Z', 345],
  ['Pacific/Kiritimati', '2026-01-01T00:00Z', 840],
  // Before the railways.
  ['Australia/Lord_Howe', '1874-12-08T00:00Z', 636 + 20 / 60],
  ['Africa/Monrovia', '1950-01-01T00:00Z', -(44 + 30 / 60)],
])('in %s at %s the wall clock is ahead by %d minutes', (name, at, minutes) => {
  expect(new TimeZone(name).offsetMs(Date.parse(at))).toBe(Math.round(minutes * 60_000));
});

test('an offset lasts until the second of the change', () => {
  const zone = new TimeZone('Europe/London');
  const change = Date.parse('2026-03-29T01:00:00Z');
  for (const [from, until] of [[-3_600_000, 3_600_000], [-1, 0], [-1, 1], [-500, 86_000_000], [-86_000_000, 500]] as const) {
    expect(zone.sameOffsetUntil(change + from, change + until)).toBe(change);
  }
  expect(zone.sameOffsetUntil(change, change + 1000)).toBe(change + 1000);
  expect(zone.sameOffsetUntil(change - 5000, change - 1)).toBe(change - 1);
});
