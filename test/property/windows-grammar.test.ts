import fc from 'fast-check';
import { parseFreezes } from '../../sidecar/holders/windows/freezes';
import { parseWindows } from '../../sidecar/holders/windows/update-windows';

const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

const space = fc.constantFrom('', ' ', '  ', '\t', '\n');
const anyCase = (text: string): fc.Arbitrary<string> =>
  fc.mixedCase(fc.constant(text), { toggleCase: (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()) });
const day = fc.nat(6);

/** A part of a list of days as it is written, and the days it means. */
const days = fc.oneof(
  day.chain((number) => anyCase(DAY_NAMES[number] ?? '').map((text) => ({ text, days: [number] }))),
  fc.tuple(day, fc.integer({ min: 1, max: 6 }), space).chain(([first, more, gap]) =>
    anyCase(`${DAY_NAMES[first] ?? ''}${gap}-${gap}${DAY_NAMES[(first + more) % 7] ?? ''}`).map((text) => ({
      text, days: Array.from({ length: more + 1 }, (_, index) => (first + index) % 7),
    })),
  ),
);

const time = (minute: number): string => [Math.floor(minute / 60), minute % 60].map((number) => String(number).padStart(2, '0')).join(':');

const window = fc.tuple(fc.array(days, { maxLength: 4 }), fc.nat(1439), fc.nat(1440), space).map(([list, start, end, gap]) => ({
  text: `${gap}${list.map(({ text }) => text).join(`${gap},${gap}`)}${gap}${time(start)}${gap}-${gap}${time(end)}${gap}`,
  value: {
    days: list.length === 0 ? [0, 1, 2, 3, 4, 5, 6] : [...new Set(list.flatMap((part) => part.days))].sort(),
    startMinute: start,
    endMinute: end <= start ? end + 1440 : end,
  },
}));

test('windows mean what is written, whatever the spaces and the case of letters', () => {
  fc.assert(
    fc.property(fc.array(window, { minLength: 1, maxLength: 5 }), fc.constantFrom('', ';', ' ; '), (windows, end) => {
      const parsed = parseWindows(windows.map(({ text }) => text).join(';') + end);
      expect(parsed).toEqual({ ok: true, value: windows.map(({ value }) => value) });
    }),
  );
});

test('freezes mean what is written', () => {
  const date = fc.integer({ min: Date.parse('0001-01-01') / 86_400_000, max: Date.parse('9999-12-31') / 86_400_000 });
  const show = (number: number): string => new Date(number * 86_400_000).toISOString().slice(0, 10);
  fc.assert(
    fc.property(fc.array(fc.tuple(date, date, space), { minLength: 1 }), (pairs) => {
      const text = pairs.map(([a, b, gap]) => (a === b ? show(a) : `${show(Math.min(a, b))}${gap}..${gap}${show(Math.max(a, b))}`)).join(';');
      const value = pairs.map(([a, b]) => ({ firstDay: Math.min(a, b), lastDay: Math.max(a, b) }));
      expect(parseFreezes(text)).toEqual({ ok: true, value });
    }),
  );
});

test.each([
  ['windows', parseWindows, ['Mon', 'fri', 'Day', '10:00', '24:00', '9:00', 'boot', '+', '10m', 'never', '-', ',', ';', ' ', '–', '😀']],
  ['freezes', parseFreezes, ['2026-12-20', '2026-02-30', '2027-01-04', '2026', '..', '.', '-', ',', ';', ' ', '😀']],
] as const)('any text is either %s or has wrong items, which are named as they are written', (_, parse, words) => {
  const nearly = fc.array(fc.constantFrom<string>(...words), { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' })), (text) => {
      const parsed = parse(text);
      if (parsed.ok) {
        expect(parsed.value.length > 0).toBe(text.trim().toLowerCase() !== 'never');
        return;
      }
      expect(parsed.wrongItems.length).toBeGreaterThan(0);
      const items = text.split(';').map((item) => item.trim());
      for (const item of parsed.wrongItems) expect(items).toContain(item);
    }),
    { numRuns: 2000 },
  );
});
