import { lockFileText } from '../../sidecar/lock/lock-file-text';
import { printable } from '../../server/text';
import { HELIOS_TAG } from '../../sidecar/lock/classify';
import type { Lease } from '../../sidecar/leases/lease';
import { makeLease } from './make-lease';

const show = (leases: readonly Lease[], count = leases.length): string =>
  lockFileText(leases, count, 'http://localhost', (ms) => new Date(ms).toISOString());

/** Everything that a terminal would obey rather than show. */
// eslint-disable-next-line no-control-regex
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/u;

const HOSTILE: readonly (readonly [string, string])[] = [
  ['clear the screen', '\u001b[2J\u001b[H'],
  ['set the title', '\u001b]0;pwned\u0007'],
  ['the 8-bit control sequence introducer', '\u009b31m'],
  ['overwrite the line', 'busy\rNot held by anybody'],
  ['add lines', 'busy\n  somebody-else since 1970\r\n'],
  ['add lines by Unicode', 'busy\u2028somebody-else\u2029\u0085'],
  ['turn the text around', '\u202egnidrocer\u202c\u2066x\u2069'],
  ['hide', '\u200b\u200d\ufeff\u00ad'],
  ['backspaces', 'x\b\b\b\u007f'],
  ['the tag of Helios', '\u0002c'],
  ['half a character', '\ud83c'],
  ['zeros', '\u0000\u0000'],
];

test('says who holds the lock, why, since when, how to see more and how to release a lease', () => {
  const text = show([makeLease('recorder', { reason: 'recording' }), makeLease('backup', { sinceMs: 60_000 })]);
  expect(text).toContain('  recorder (recording) since 1970-01-01T00:00:00.000Z\n');
  expect(text).toContain('  backup since 1970-01-01T00:01:00.000Z\n');
  expect(text).toContain('curl http://localhost/v1/lock\n');
  expect(text).toContain('curl -X DELETE http://localhost/v1/leases/NAME\n');
  expect(text.endsWith('\n')).toBe(true);
});

test.each([
  [10, 10, false],
  [11, 10, true],
  [300, 10, true],
])('of %d holders %d are shown, the rest are counted: %s', (count, shown, isCounted) => {
  const text = show(Array.from({ length: count }, (_, index) => makeLease(`n${String(index)}`)));
  expect(text.match(/since/g)).toHaveLength(shown);
  expect(text.includes(`and ${String(count - shown)} more`)).toBe(isCounted);
});

describe.each(HOSTILE)('a reason that tries to %s', (_, reason) => {
  test('reaches no terminal, and adds no line to the text', () => {
    const text = show([makeLease('recorder', { reason })]);
    expect(text).not.toMatch(OBEYED);
    expect(text.split('\n')).toHaveLength(show([makeLease('recorder')]).split('\n').length);
  });

  test('keeps its length as shown', () => {
    expect([...printable(reason)]).toHaveLength([...reason].length);
    expect(printable(reason)).toContain('\ufffd');
  });
});

test.each([
  ['no holder', []],
  ['a hostile one', [makeLease('c', { reason: '\u0002c' })]],
])("with %s it never begins like a lock of Helios's", (_, leases) => {
  const start = Buffer.from(show(leases)).subarray(0, 2);
  expect(start.equals(HELIOS_TAG)).toBe(false);
  expect(start.toString()).toBe('up');
});

test('letters, accents, emoji and right-to-left scripts are shown as they are', () => {
  const reason = 'Aufnahme läuft 🎥 – 録画中 – تسجيل';
  expect(printable(reason)).toBe(reason);
});
