import { DURATION_PATTERN, formatDuration, parseDuration, secondsToMs } from '../../server/duration';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('a duration as text', () => {
  test.each([
    ['0', 0],
    ['1', SECOND],
    ['90', 90 * SECOND],
    ['0.5', 500],
    ['007', 7 * SECOND],
    ['1.0005', 1001],
    ['500ms', 500],
    ['0.4ms', 0],
    ['90s', 90 * SECOND],
    ['5m', 5 * MINUTE],
    ['1.5h', 90 * MINUTE],
    ['1h30m', 90 * MINUTE],
    ['1d', DAY],
    ['5m500ms', 5 * MINUTE + 500],
    ['1d2h3m4s5ms', DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5],
    ['90m', 90 * MINUTE],
    ['0s', 0],
  ])('%j is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '', ' ', ' 5', '5 ', '5\n', '\n5m', '5 m', '1h 30m', '-1', '-5m', '+5', '5M', '5H', '5w', '5y', '5us', 'm', 'ms', 'h30m', '.5', '5.', '.',
    '1..5', '1.5.5', '1,5', '1_000', '1e3', '1e3s', '0x10', 'Infinity', 'NaN', 'null', '[object Object]', '30m1h', '5s5s', '1m1m',
    '1ms1s', '5m30', '1h30', '٣', '５m', '5m\u0000', '\u200b5m', '∞', '5\u00a0m', '9'.repeat(65), `${'0'.repeat(64)}5`, '1d'.repeat(50_000),
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  test('is refused at once, however long it is', () => {
    const hostile = `${'1'.repeat(1_000_000)}x`;
    const startedMs = performance.now();
    expect(parseDuration(hostile)).toBeNull();
    expect(DURATION_PATTERN.test(hostile)).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  test('is a finite number of whole milliseconds even if it is absurdly long', () => {
    expect(Number.isFinite(parseDuration('9'.repeat(64)))).toBe(true);
    expect(Number.isFinite(parseDuration(`${'9'.repeat(63)}d`))).toBe(true);
  });
});

describe('a number of seconds', () => {
  test.each([
    [0, 0],
    [0.0004, 0],
    [0.0006, 1],
    [1.5, 1500],
    [86_400, DAY],
  ])('%d is %d ms', (seconds, ms) => {
    expect(secondsToMs(seconds)).toBe(ms);
  });

  test.each([-1, -0.001, NaN, Infinity, -Infinity])('%d is none', (seconds) => {
    expect(secondsToMs(seconds)).toBeNull();
  });
});

describe('milliseconds', () => {
  test.each([
    [0, '0s'],
    [0.4, '0s'],
    [0.6, '1ms'],
    [1, '1ms'],
    [999, '999ms'],
    [1000, '1s'],
    [1500, '1s500ms'],
    [59_999.6, '1m'],
    [90 * MINUTE, '1h30m'],
    [DAY, '1d'],
    [365 * DAY, '365d'],
    [DAY + 1, '1d1ms'],
  ])('%d are shown as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
