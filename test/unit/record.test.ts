import { END_REASONS, type Lease } from '../../sidecar/leases/lease';
import { decodeRecord, encodeRecord, isEnded, RECORD_BYTES, type JournalRecord } from '../../sidecar/lock/record';
import { makeEndedLease, makeLease } from './make-lease';

const BOOT = 'c0ffee00-0000-4000-8000-000000000000';
const leaseRecord = (lease: Lease): JournalRecord => ({ kind: 'lease', boot: BOOT, lease });

function encode(record: JournalRecord): Buffer {
  const line = Buffer.alloc(RECORD_BYTES, 0xff);
  encodeRecord(record, line);
  return line;
}

const textOf = (line: Buffer): string => line.toString('utf8', 0, RECORD_BYTES - 1);

test('a page of memory is a whole number of records', () => {
  expect(4096 % RECORD_BYTES).toBe(0);
});

test.each<[string, JournalRecord]>([
  ['a header', { kind: 'header', boot: BOOT, header: { lostAtMs: null, wallOffsetMs: null, isStartOver: false, update: null } }],
  ['a header after a loss', { kind: 'header', boot: BOOT, header: { lostAtMs: 123.456, wallOffsetMs: -7.25, isStartOver: true, update: null } }],
  ['a lease', leaseRecord(makeLease('recorder', { sinceMs: 1e12 / 3, reason: 'recording "this"\n' }))],
  ['a lease without an end', leaseRecord(makeLease('r', { kind: 'connection', ttlMs: null, endsAtMs: null }))],
  ['an ended lease', leaseRecord(makeEndedLease('r', 99))],
])('%s comes back as it was, in a line of its own', (_, record) => {
  const line = encode(record);
  expect(line).toHaveLength(RECORD_BYTES);
  expect(line.indexOf(0x0a)).toBe(RECORD_BYTES - 1);
  expect(decodeRecord(textOf(line))).toEqual(record);
});

test.each([
  ['control characters', '\u0000'],
  ['other control characters', '\u001f'],
  ['emoji', '🎥'],
  ['quotation marks', '"'],
  ['backslashes', '\\'],
  ['line separators', '\u2028'],
  ['replacement characters', '\ufffd'],
])('the longest lease there can be fits, its reason 256 %s', (_, character) => {
  const time = 864_197_523.864 / 7;
  const longest: Lease = {
    id: '0b0e0b0e-0b0e-4b0e-8b0e-0b0e0b0e0b0e',
    name: `@${'x'.repeat(71)}`,
    reason: character.repeat(256),
    kind: 'connection',
    sinceMs: time,
    ttlMs: 365 * 86_400_000 - 1 / 7,
    endsAtMs: time * 1.1,
    renewals: Number.MAX_SAFE_INTEGER,
    peer: '2001:0db8:85a3:0000:0000:8a2e:0370:7334%enx0123456789ab',
  };
  for (const reason of END_REASONS) {
    const record = leaseRecord({ ...longest, ended: { reason, atMs: time * 1.3 } } as Lease);
    expect(decodeRecord(textOf(encode(record)))).toEqual(record);
  }
});

test('a record of any length is either refused or can be read again: at no length is it cut off in silence', () => {
  const fits: boolean[] = [];
  for (let length = RECORD_BYTES - 250; length < RECORD_BYTES; length += 1) {
    const record = leaseRecord(makeLease('r', { reason: 'x'.repeat(length) }));
    let line: Buffer;
    try {
      line = encode(record);
    } catch {
      fits.push(false);
      continue;
    }
    expect(decodeRecord(textOf(line))).toEqual(record);
    fits.push(true);
  }
  expect(fits.indexOf(false)).toBeGreaterThan(0);
  expect(fits.slice(fits.indexOf(false))).not.toContain(true);
});

test('one character that was changed anywhere makes the line void', () => {
  const line = textOf(encode(leaseRecord(makeLease('recorder')))).trimEnd();
  for (let index = 0; index < line.length; index += 1) {
    const other = line[index] === '0' ? '1' : '0';
    expect(decodeRecord(line.slice(0, index) + other + line.slice(index + 1))).toBeNull();
  }
});

test('a line that was cut off anywhere is void', () => {
  const line = textOf(encode(leaseRecord(makeLease('recorder')))).trimEnd();
  for (let length = 0; length < line.length; length += 1) expect(decodeRecord(line.slice(0, length))).toBeNull();
});

test.each(['', ' ', '\0'.repeat(RECORD_BYTES), '00000000 ', '{"kind":"header"}', 'not a record', '\ufffd'.repeat(100)])('%j is no record', (line) => {
  expect(decodeRecord(line)).toBeNull();
});

test('a lease that has ended is told from a live one', () => {
  expect(isEnded(makeEndedLease('r', 1))).toBe(true);
  expect(isEnded(makeLease('r'))).toBe(false);
});
