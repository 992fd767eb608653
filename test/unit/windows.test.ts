import { parseFreezes } from '../../sidecar/holders/windows/freezes';
import { parseWindows } from '../../sidecar/holders/windows/update-windows';

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

  test.each([
    ['boot+10m', 600_000],
    [' Boot + 1H30M ', 5_400_000],
    ['boot+90', 90_000],
    ['boot+365d', 365 * 86_400_000],
  ])('%j is open for a time after the boot', (text, afterBootMs) => {
    expect(parseWindows(text)).toEqual({ ok: true, value: [{ afterBootMs }] });
  });

  test('after the boot can be mixed with others', () => {
    expect(parseWindows('boot+5m; Mon 01:00-02:00')).toEqual({ ok: true, value: [{ afterBootMs: 300_000 }, { days: [1], startMinute: HOUR, endMinute: 2 * HOUR }] });
  });

  test.each(['never', ' NEVER '])('%j is none at all', (text) => {
    expect(parseWindows(text)).toEqual({ ok: true, value: [] });
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

  test.each([
    '',
    '   ',
    'Fry 01:00-02:00',
    'Monday 01:00-02:00',
    'Mo 01:00-02:00',
    'Mon-Fry,Sum 01:00-02:00',
    'daily 01:00-02:00',
    '* 01:00-02:00',
    '1-5 01:00-02:00',
    'Mon-Mon 01:00-02:00',
    'Mon..Fri 01:00-02:00',
    'Mon, 01:00-02:00',
    'Mon- 01:00-02:00',
    'Mon Tue 01:00-02:00',
    'Mon-Wed-Fri 01:00-02:00',
    'Mon',
    'Mon 01:00 ',
    'Mon 01:00-',
    '01:00–02:00',
    '01:00 to 02:00',
    '01:00-02:00, 03:00-04:00',
    '01:00-02:00 Mon',
    '01:00-02:00-03:00',
    '24:00-01:00',
    '00:00-24:01',
    '1:00-2:00',
    '01:60-02:00',
    '01:00:00-02:00',
    '01:00Z-02:00',
    '1am-2am',
    'boot',
    'boot+',
    'boot+0',
    'boot+soon',
    'boot-10m',
    'boot+366d',
    'Mon boot+10m',
    '٠١:٠٠-02:00',
  ])('%j is refused', (text) => {
    expect(parseWindows(text)).toEqual({ ok: false, wrongItems: [text.trim()] });
  });

  test.each([
    [';', ['']],
    ['01:00-02:00;;03:00-04:00', ['']],
    ['never; boot+10m', ['never']],
    ['01:00-02:00; never', ['never']],
    ['Fry 25:00-26:00; 01:00-02:00;Mon 03:00-', ['Fry 25:00-26:00', 'Mon 03:00-']],
  ])('of %j the wrong items are named', (text, wrongItems) => {
    expect(parseWindows(text)).toEqual({ ok: false, wrongItems });
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

  test.each([
    '',
    '2026-02-30',
    '2027-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-1-2',
    '20.12.2026',
    '12-25',
    '12026-12-25',
    '2026-12-20T00:00:00Z',
    '2027-01-04..2026-12-20',
    '2026-12-20...2027-01-04',
    '2026-12-20 - 2027-01-04',
    '2026-12-20 2027-01-04',
    '2026-12-20..',
    '2026-12-20..2026-12-21..2026-12-22',
  ])('%j is refused', (text) => {
    expect(parseFreezes(text)).toEqual({ ok: false, wrongItems: [text] });
  });

  test.each([
    [';2026-12-20', ['']],
    ['2026-06-31..2026-07-32; 2026-12-20; x', ['2026-06-31..2026-07-32', 'x']],
  ])('of %j the wrong items are named', (text, wrongItems) => {
    expect(parseFreezes(text)).toEqual({ ok: false, wrongItems });
  });
});
