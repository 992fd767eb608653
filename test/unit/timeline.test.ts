import { readBootId, systemClock, Timeline } from '../../server/clock';
import { FakeClock } from './fake-clock';

const YEAR_MS = 365 * 86_400_000;

test('a monotonic instant is shown by the wall clock', () => {
  const clock = new FakeClock(5000, Date.UTC(2026, 4, 1, 10, 0, 0));
  const timeline = new Timeline(clock);
  expect(timeline.toRfc3339(5000)).toBe('2026-05-01T10:00:00.000Z');
  expect(timeline.toRfc3339(6500)).toBe('2026-05-01T10:00:01.500Z');
  expect(timeline.toWallMs(0)).toBe(Date.UTC(2026, 4, 1, 9, 59, 55));
});

test('the same instant reads the same while the clocks drift apart by less than a second', () => {
  const clock = new FakeClock();
  const timeline = new Timeline(clock);
  const shown = timeline.toRfc3339(1234);
  for (let step = 0; step < 9; step += 1) {
    clock.advance(10_000);
    clock.wallNowMs += 100;
    expect(timeline.toRfc3339(1234)).toBe(shown);
  }
});

test.each([
  ['30 years ahead, as from 1970 once the time is known', 30 * YEAR_MS],
  ['30 years back', -30 * YEAR_MS],
  ['an hour ahead', 3_600_000],
  ['two seconds back', -2000],
])('when the wall clock is set %s, every time shown moves with it', (_, byMs) => {
  const clock = new FakeClock();
  const timeline = new Timeline(clock);
  const before = timeline.toWallMs(1000);
  clock.wallNowMs += byMs;
  expect(timeline.toWallMs(1000)).toBe(before + byMs);
  clock.wallNowMs -= byMs;
  expect(timeline.toWallMs(1000)).toBe(before);
});

test('a wall clock that stands still or runs backwards all the time is shown all the same', () => {
  const clock = new FakeClock();
  const timeline = new Timeline(clock);
  for (let step = 0; step < 100; step += 1) {
    clock.nowMs += 1000;
    clock.wallNowMs -= 3000;
    expect(Math.abs(timeline.toWallMs(clock.nowMs) - clock.wallNowMs)).toBeLessThanOrEqual(1000);
  }
});

test('times before 1970 are still RFC 3339', () => {
  expect(new Timeline(new FakeClock(10_000, 0)).toRfc3339(0)).toBe('1969-12-31T23:59:50.000Z');
});

test('the monotonic clock never runs backwards and goes on from the machine, not from the process', () => {
  const first = systemClock.monotonicMs();
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(first);
  expect(first).toBeGreaterThan(performance.now());
});

test('a boot has one identifier', () => {
  expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
  expect(readBootId()).toBe(readBootId());
});
