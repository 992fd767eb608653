import fc from 'fast-check';
import { formatDuration, parseDuration, secondsToMs } from '../../server/duration';

const wholeMs = fc.nat(365 * 86_400_000);

test('what is shown as a duration is read as the same one', () => {
  fc.assert(fc.property(wholeMs, (ms) => parseDuration(formatDuration(ms)) === ms));
});

test('seconds as a number and as text are the same length of time', () => {
  fc.assert(fc.property(wholeMs, (ms) => parseDuration((ms / 1000).toFixed(3)) === ms && secondsToMs(ms / 1000) === ms));
});

test('a duration is the sum of its parts', () => {
  const amount = fc.option(fc.nat(1000), { nil: undefined });
  fc.assert(
    fc.property(amount, amount, amount, amount, amount, (d, h, m, s, ms) => {
      const parts = [[d, 'd', 86_400_000], [h, 'h', 3_600_000], [m, 'm', 60_000], [s, 's', 1000], [ms, 'ms', 1]] as const;
      const text = parts.map(([value, unit]) => (value === undefined ? '' : `${String(value)}${unit}`)).join('');
      const expected = parts.reduce((sum, [value = 0, , unitMs]) => sum + value * unitMs, 0);
      expect(parseDuration(text)).toBe(text === '' ? null : expected);
    }),
  );
});

test('any text is either a length of time that is not negative, or none', () => {
  const nearly = fc.string({ unit: fc.constantFrom(...Array.from('0123456789.dhms -+e\n')) });
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' })), (text) => {
      const ms = parseDuration(text);
      return ms === null || (Number.isSafeInteger(ms) && ms >= 0) || (text.length > 10 && Number.isFinite(ms));
    }),
    { numRuns: 5000 },
  );
});
