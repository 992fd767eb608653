import fc from 'fast-check';
import { inLocalTime } from '../../sidecar/page/summary';
import { ago, ahead, atTime, span } from '../../sidecar/page/times';

const [SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS] = [1000, 60_000, 3_600_000, 86_400_000];

test.each<[number, string]>([
  [0, '0 s'], [999, '0 s'], [59_999, '59 s'], [MINUTE_MS, '1 min'], [130 * SECOND_MS, '2 min 10 s'], [10 * MINUTE_MS - 1, '9 min 59 s'], [HOUR_MS - 1, '59 min'], [HOUR_MS, '1 h'],
  [HOUR_MS + 59 * SECOND_MS, '1 h'], [25 * HOUR_MS, '1 d 1 h'], [DAY_MS * 400, '400 d'], [-5 * SECOND_MS, '0 s'],
])('%d ms is %s', (ms, shown) => {
  expect(span(ms)).toBe(shown);
});

test('what was is ago, also by a clock that is a little behind, and what will be is counted down to its end', () => {
  expect([ago(0, 90_000), ago(500, 0)]).toEqual(['1 min 30 s ago', 'just now']);
  expect([ahead(90_000, 0), ahead(1, 0), ahead(0, 0), ahead(0, 5000)]).toEqual(['in 1 min 30 s', 'in 1 s', 'now', 'now']);
});

test('a time of another day has the day, and of another year the year', () => {
  const at = (text: string): number => new Date(text).getTime();
  const nowMs = at('2026-11-23T12:00:00');
  expect(atTime(at('2026-11-23T09:05:07'), nowMs)).toBe('09:05');
  expect(atTime(at('2026-11-23T09:05:07'), nowMs, true)).toBe('09:05:07');
  expect(atTime(at('2026-11-22T23:59:00'), nowMs)).toBe('22 Nov, 23:59');
  expect(atTime(at('2027-01-02T00:00:00'), nowMs)).toBe('2 Jan 2027, 00:00');
});

describe("the sidecar's sentence", () => {
  const nowMs = Date.parse('2026-11-23T12:00:00Z');
  const [since, expires, waitsSince] = ['2026-11-23T10:02:03Z', '2026-11-23T12:07:00Z', '2026-11-23T11:00:00Z'];
  const show = (ms: number): string => `<${new Date(ms).toISOString().slice(11, 16)}>`;
  const inTime = (text: string, instants: object = {}): string => inLocalTime(text, { since, expires, waitsSince: null, opens: '2026-11-24T01:00:00Z', ...instants }, nowMs, show);

  test.each<[string, object, string]>([
    ['Updates are held back by a (b) since 10:02, until 12:07 at the latest.', {}, 'Updates are held back by a (b) since <10:02>, until <12:07> at the latest.'],
    ['Updates are held back by a since 2026-11-22 10:02, until it is released; none is waiting now.', { expires: null }, 'Updates are held back by a since <10:02>, until it is released; none is waiting now.'],
    [
      'An update has been waiting since 11:00; it is held back by a since 10:02, until 12:07 at the latest, though it cannot be reached now.',
      { waitsSince },
      'An update has been waiting since <11:00>; it is held back by a since <10:02>, until <12:07> at the latest, though it cannot be reached now.',
    ],
    ['An update has been waiting since 11:00, which is long enough: a must let go now.', { waitsSince }, 'An update has been waiting since <11:00>, which is long enough: a must let go now.'],
    ['Nothing holds back the update that has been waiting since 11:00: the Supervisor starts it by itself.', { waitsSince, since: null }, 'Nothing holds back the update that has been waiting since <11:00>: the Supervisor starts it by itself.'],
    ['The lock was just taken away from outside, so an update can get through; leases are granted again from 12:00.', {}, 'The lock was just taken away from outside, so an update can get through; leases are granted again from <12:00>.'],
    ['Updates are held back by @window (closed) since 10:02, until the window opens at 2026-11-24 01:00 UTC.', { expires: null }, 'Updates are held back by @window (closed) since <10:02>, until the window opens at <01:00>.'],
    ['Nothing holds back updates.', {}, 'Nothing holds back updates.'],
  ])('%s', (text, instants, shown) => {
    expect(inTime(text, instants)).toBe(shown);
  });

  test('keeps what apps have said, whatever that is', () => {
    const said = fc.oneof(fc.string(), fc.constantFrom('since 10:00, until 10:07 at the latest.', 'has been waiting since 09:00', 'until it is released;'));
    fc.assert(fc.property(said, (reason) => {
      expect(inTime(`Updates are held back by a (${reason}) since 10:02, until 12:07 at the latest.`)).toBe(`Updates are held back by a (${reason}) since <10:02>, until <12:07> at the latest.`);
    }));
  });
});
