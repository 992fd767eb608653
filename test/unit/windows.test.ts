import { parseFreezes } from '../../sidecar/holders/windows/freezes';
import { describeMistakes } from '../../sidecar/holders/windows/list-reader';
import { parseWindows } from '../../sidecar/holders/windows/weekly-windows';

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const HOUR = 60;

describe('windows', () => {
  test.each([
    ['01:00-05:30', EVERY_DAY, HOUR, 5 * HOUR + 30],
    ['Mon 00:00-24:00', [1], 0, 24 * HOUR],
    ['Mon-Fri 09:00-17:00', [1, 2, 3, 4, 5], 9 * HOUR, 17 * HOUR],
    ['Sat,Sun 09:00-17:00', [0, 6], 9 * HOUR, 17 * HOUR],
    ['Mon-Wed,Sat 09:00-17:00', [1, 2, 3, 6], 9 * HOUR, 17 * HOUR],
    ['Fri-Mon 09:00-17:00', [0, 1, 5, 6], 9 * HOUR, 17 * HOUR],
    ['Sun-Sat 09:00-17:00', EVERY_DAY, 9 * HOUR, 17 * HOUR],
    ['Tue-Mon 09:00-17:00', EVERY_DAY, 9 * HOUR, 17 * HOUR],
    ['Mon,Mon,Mon-Tue 09:00-17:00', [1, 2], 9 * HOUR, 17 * HOUR],
    ['22:00-06:00', EVERY_DAY, 22 * HOUR, 30 * HOUR],
    ['22:00-24:00', EVERY_DAY, 22 * HOUR, 24 * HOUR],
    ['22:00-00:00', EVERY_DAY, 22 * HOUR, 24 * HOUR],
    ['22:00-22:00', EVERY_DAY, 22 * HOUR, 46 * HOUR],
    ['00:00-00:00', EVERY_DAY, 0, 24 * HOUR],
    ['23:59-00:01', EVERY_DAY, 24 * HOUR - 1, 24 * HOUR + 1],
    [' mON - fRI , SUN\t09:00 - 17:00 ', [0, 1, 2, 3, 4, 5], 9 * HOUR, 17 * HOUR],
    ['Sat09:00-17:00', [6], 9 * HOUR, 17 * HOUR],
    ['Sat 09:00-17:00;', [6], 9 * HOUR, 17 * HOUR],
  ])('%j', (text, days, startMinute, endMinute) => {
    expect(parseWindows(text)).toEqual({ ok: true, value: [{ days, startMinute, endMinute }] });
  });

  test('are separated by semicolons', () => {
    expect(parseWindows('Mon 01:00-02:00;Tue 03:00-04:00 ;\n 05:00-06:00')).toEqual({
      ok: true,
      value: [
        { days: [1], startMinute: HOUR, endMinute: 2 * HOUR },
        { days: [2], startMinute: 3 * HOUR, endMinute: 4 * HOUR },
        { days: EVERY_DAY, startMinute: 5 * HOUR, endMinute: 6 * HOUR },
      ],
    });
  });

  test.each<[string, readonly (readonly [column: number, found: string, allowed: RegExp])[]]>([
    ['', [[1, '', /window is like/]]],
    ['   ', [[1, '', /window is like/]]],
    [';', [[1, '', /window is like/]]],
    ['01:00-02:00;;03:00-04:00', [[13, '', /window is like/]]],
    ['Fry 01:00-02:00', [[1, 'Fry', /Mon, Tue, Wed, Thu, Fri, Sat or Sun/]]],
    ['Monday 01:00-02:00', [[1, 'Monday', /Mon, Tue/]]],
    ['Mo 01:00-02:00', [[1, 'Mo', /Mon, Tue/]]],
    ['Mon-Fry,Sum 01:00-02:00', [[5, 'Fry', /Mon, Tue/], [9, 'Sum', /Mon, Tue/]]],
    ['daily 01:00-02:00', [[1, 'daily', /none: every day/]]],
    ['* 01:00-02:00', [[1, '*', /none: every day/]]],
    ['1-5 01:00-02:00', [[1, '1', /00:00 to 23:59/], [3, '5', /00:00 to 24:00/], [5, '01:00', /";" comes between/]]],
    ['Mon-Mon 01:00-02:00', [[1, 'Mon', /one day or a week/]]],
    ['Mon..Fri 01:00-02:00', [[1, 'Mon..Fri', /Mon, Tue/]]],
    ['Mon, 01:00-02:00', [[6, '01:00', /Mon, Tue/]]],
    ['Mon- 01:00-02:00', [[6, '01:00', /Mon, Tue/]]],
    ['Mon Tue 01:00-02:00', [[5, 'Tue', /"," comes between days/]]],
    ['Mon-Wed-Fri 01:00-02:00', [[8, '-', /"," comes between days/]]],
    ['Mon', [[4, '', /00:00 to 23:59/]]],
    ['Mon 01:00 ', [[10, '', /"-" comes between/]]],
    ['Mon 01:00-', [[11, '', /00:00 to 24:00/]]],
    ['01:00–02:00', [[6, '–', /"-" comes between/]]],
    ['01:00 to 02:00', [[7, 'to', /"-" comes between/]]],
    ['01:00-02:00, 03:00-04:00', [[12, ',', /";" comes between/]]],
    ['01:00-02:00 Mon', [[13, 'Mon', /";" comes between/]]],
    ['01:00-02:00-03:00', [[12, '-', /";" comes between/]]],
    ['24:00-01:00', [[1, '24:00', /00:00 to 23:59/]]],
    ['00:00-24:01', [[7, '24:01', /00:00 to 24:00/]]],
    ['1:00-2:00', [[1, '1:00', /00:00 to 23:59/], [6, '2:00', /00:00 to 24:00/]]],
    ['01:60-02:00', [[1, '01:60', /00:00 to 23:59/]]],
    ['01:00:00-02:00', [[1, '01:00:00', /00:00 to 23:59/]]],
    ['01:00Z-02:00', [[1, '01:00Z', /00:00 to 23:59/]]],
    ['1am-2am', [[1, '1am', /00:00 to 23:59/], [5, '2am', /00:00 to 24:00/]]],
    ['٠١:٠٠-02:00', [[1, '٠', /Mon, Tue/]]],
    ['Fry 25:00-26:00; 01:00-02:00;Mon 03:00-', [[1, 'Fry', /Mon/], [5, '25:00', /23:59/], [11, '26:00', /24:00/], [40, '', /24:00/]]],
  ])('%j is refused, and shown where', (text, expected) => {
    const parsed = parseWindows(text);
    const mistakes = expected.map(([column, found, allowed]) => ({ column, found, allowed: expect.stringMatching(allowed) as string }));
    expect(parsed).toEqual({ ok: false, mistakes });
  });
});

describe('freezes', () => {
  const dayOf = (date: string): number => Date.parse(date) / 86_400_000;

  test.each([
    ['2027-11-26', [['2027-11-26', '2027-11-26']]],
    ['2026-12-20..2027-01-04; 2027-11-26', [['2026-12-20', '2027-01-04'], ['2027-11-26', '2027-11-26']]],
    [' 2026-12-20 .. 2026-12-20 ;', [['2026-12-20', '2026-12-20']]],
    ['2028-02-29', [['2028-02-29', '2028-02-29']]],
    ['0001-01-01..9999-12-31', [['0001-01-01', '9999-12-31']]],
  ])('%j', (text, ranges) => {
    const value = ranges.map(([first = '', last = '']) => ({ firstDay: dayOf(first), lastDay: dayOf(last) }));
    expect(parseFreezes(text)).toEqual({ ok: true, value });
  });

  test.each<[string, readonly (readonly [column: number, found: string, allowed: RegExp])[]]>([
    ['', [[1, '', /2026-12-20/]]],
    [';2026-12-20', [[1, '', /2026-12-20/]]],
    ['2026-02-30', [[1, '2026-02-30', /date that exists/]]],
    ['2027-02-29', [[1, '2027-02-29', /date that exists/]]],
    ['2026-13-01', [[1, '2026-13-01', /date that exists/]]],
    ['2026-00-10', [[1, '2026-00-10', /date that exists/]]],
    ['2026-1-2', [[1, '2026-1-2', /2026-12-20/]]],
    ['20.12.2026', [[1, '20.12.2026', /2026-12-20/]]],
    ['12-25', [[1, '12-25', /2026-12-20/]]],
    ['12026-12-25', [[1, '12026-12-25', /2026-12-20/]]],
    ['2026-12-20T00:00:00Z', [[1, '2026-12-20T00:00:00Z', /2026-12-20/]]],
    ['2027-01-04..2026-12-20', [[1, '2027-01-04', /first day comes before/]]],
    ['2026-12-20...2027-01-04', [[11, '...', /".." comes between/]]],
    ['2026-12-20 - 2027-01-04', [[12, '-', /".." comes between/]]],
    ['2026-12-20 2027-01-04', [[12, '2027-01-04', /";" between freezes/]]],
    ['2026-12-20..', [[13, '', /date that exists/]]],
    ['2026-12-20..2026-12-21..2026-12-22', [[23, '..', /";" comes between/]]],
    ['2026-06-31..2026-07-32; x', [[1, '2026-06-31', /exists/], [13, '2026-07-32', /exists/], [25, 'x', /exists/]]],
  ])('%j is refused, and shown where', (text, expected) => {
    const parsed = parseFreezes(text);
    const mistakes = expected.map(([column, found, allowed]) => ({ column, found, allowed: expect.stringMatching(allowed) as string }));
    expect(parsed).toEqual({ ok: false, mistakes });
  });
});

test('mistakes are described in one line, with what would break it escaped', () => {
  const mistakes = [{ column: 3, found: '\u001b', allowed: 'a is right' }, { column: 9, found: '', allowed: 'b is right' }];
  expect(describeMistakes(mistakes)).toBe(String.raw`is wrong at column 3, "\u001b": a is right; at column 9, where it ends: b is right`);
});
