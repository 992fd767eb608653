import { Known, type Lease, type Lock } from '../../sidecar/page/known';
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

describe('the lock ends with its last lease', () => {
  const [early, late] = ['2026-11-23T10:07:00.000Z', '2026-11-24T02:00:00.000Z'];
  const timed = { name: 'app', kind: 'timed', expires: early };
  const window = { name: '@window', kind: 'builtin', expires: null };
  const end = (leases: readonly object[], opens: string | null): string | null => {
    const known = new Known();
    known.take({ event: 'lock', data: { state: 'held', window: { open: false, opens } } as Lock });
    for (const lease of leases) known.take({ event: 'lease', data: lease as Lease });
    return known.end;
  };

  test.each<[string, object[], string | null, string | null]>([
    ['a timed lease', [timed], late, early],
    ['the next opening of a window', [window], late, late],
    ['the later of the two', [window, timed], late, late],
    ['nobody knows, if no window opens', [window, timed], null, null],
    ['nobody knows, if one is held by connection', [timed, { name: 'backup', kind: 'connection', expires: null }], late, null],
    ['there is none', [], late, null],
  ])('%s', (_, leases, opens, expected) => {
    expect(end(leases, opens)).toBe(expected);
  });
});
