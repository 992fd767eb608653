import { crc32 } from 'node:zlib';
import { END_REASONS, REASON_MAX_LENGTH, type Lease } from '../../sidecar/leases/lease';
import { decodeLine, encodeRecord, isEnded, RECORD_BYTES, type JournalRecord } from '../../sidecar/journal/record';
import { makeEndedLease, makeLease } from './make-lease';

const BOOT = 'c0ffee00-0000-4000-8000-000000000000';
const PRESENT = { boot: BOOT, nowMs: 1e12 };
const leaseRecord = (lease: Lease): JournalRecord => ({ kind: 'lease', lease });
const decode = (line: string) => decodeLine(line, PRESENT);
const whole = (record: JournalRecord) => ({ kind: 'record', record, isOutdated: false });

function encode(record: JournalRecord): Buffer {
  const line = Buffer.alloc(RECORD_BYTES, 0xff);
  encodeRecord(record, BOOT, line);
  return line;
}

const textOf = (line: Buffer): string => line.toString('utf8', 0, RECORD_BYTES - 1);

test('a page of memory is a whole number of records', () => {
  expect(4096 % RECORD_BYTES).toBe(0);
});

test.each<[string, JournalRecord]>([
  ['a header', { kind: 'header', header: { lostAtMs: null, wallOffsetMs: null, isStartOver: false, update: null } }],
  ['a header after a loss', { kind: 'header', header: { lostAtMs: 123.456, wallOffsetMs: -7.25, isStartOver: true, update: null } }],
  ['a lease', leaseRecord(makeLease('recorder', { sinceMs: 1e12 / 3, reason: 'recording "this"\n' }))],
  ['a lease without an end', leaseRecord(makeLease('r', { kind: 'connection', ttlMs: null, endsAtMs: null }))],
  ['an ended lease', leaseRecord(makeEndedLease('r', 99))],
])('%s comes back as it was, in a line of its own', (_, record) => {
  const line = encode(record);
  expect(line).toHaveLength(RECORD_BYTES);
  expect(line.indexOf(0x0a)).toBe(RECORD_BYTES - 1);
  expect(decode(textOf(line))).toEqual(whole(record));
});

test.each([
  ['control characters', '\u0000'],
  ['other control characters', '\u001f'],
  ['emoji', '🎥'],
  ['quotation marks', '"'],
  ['backslashes', '\\'],
  ['line separators', '\u2028'],
  ['replacement characters', '\ufffd'],
])('the longest lease there can be fits, its reason full of %s', (_, character) => {
  const time = 864_197_523.864 / 7;
  const longest: Lease = {
    id: '0b0e0b0e-0b0e-4b0e-8b0e-0b0e0b0e0b0e',
    name: `@${'x'.repeat(71)}`,
    reason: character.repeat(REASON_MAX_LENGTH),
    kind: 'builtin',
    sinceMs: time,
    ttlMs: 365 * 86_400_000 - 1 / 7,
    endsAtMs: time * 1.1,
    renewals: Number.MAX_SAFE_INTEGER,
    peer: '2001:0db8:85a3:0000:0000:8a2e:0370:7334%enx0123456789ab',
  };
  for (const reason of END_REASONS) {
    const record = leaseRecord({ ...longest, ended: { reason, atMs: time * 1.3 } } as Lease);
    expect(decode(textOf(encode(record)))).toEqual(whole(record));
  }
});

test('a record of any length is either refused or can be read again: at no length is it cut off in silence', () => {
  const fits: boolean[] = [];
  for (let length = RECORD_BYTES - 250; length < RECORD_BYTES; length += 1) {
    const record = leaseRecord(makeLease('r', { peer: 'x'.repeat(length) }));
    let line: Buffer;
    try {
      line = encode(record);
    } catch {
      fits.push(false);
      continue;
    }
    expect(decode(textOf(line))).toEqual(whole(record));
    fits.push(true);
  }
  expect(fits.indexOf(false)).toBeGreaterThan(0);
  expect(fits.slice(fits.indexOf(false))).not.toContain(true);
});

test('one character that was changed anywhere makes the line void', () => {
  const line = textOf(encode(leaseRecord(makeLease('recorder')))).trimEnd();
  for (let index = 0; index < line.length; index += 1) {
    const other = line[index] === '0' ? '1' : '0';
    expect(decode(line.slice(0, index) + other + line.slice(index + 1)).kind).toBe('damaged');
  }
});

test('a line that was cut off anywhere is void', () => {
  const line = textOf(encode(leaseRecord(makeLease('recorder')))).trimEnd();
  for (let length = 0; length < line.length; length += 1) expect(decode(line.slice(0, length)).kind).toBe(length === 0 ? 'void' : 'damaged');
});

test.each(['', ' ', '\0'.repeat(RECORD_BYTES)])('%j is a line that was never written', (line) => {
  expect(decode(line)).toEqual({ kind: 'void' });
});

test.each(['00000000 x', '{"kind":"header"}', 'not a record', '\ufffd'.repeat(100)])('%j is damaged', (line) => {
  expect(decode(line)).toEqual({ kind: 'damaged' });
});

test('a record of another boot is void, whatever it says', () => {
  const line = Buffer.alloc(RECORD_BYTES);
  encodeRecord(leaseRecord(makeLease('recorder')), 'another boot', line);
  expect(decode(textOf(line))).toEqual({ kind: 'void' });
});

/** A line with a checksum that is right, whatever is in it. */
function lineOf(fields: unknown): string {
  const json = JSON.stringify(fields);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}`;
}

const lease = makeLease('recorder');
const HEADER = { lostAtMs: null, wallOffsetMs: null, isStartOver: false, update: null };
const WAITED = { waitedMs: 1, countingSinceMs: null, drainEndsAtMs: null };
const LATER = PRESENT.nowMs + 1;

test.each<[string, object]>([
  ['without an id', { ...lease, id: undefined }],
  ['with an id that cannot stand in a header', { ...lease, id: 'a\nb' }],
  ['without a name', { ...lease, name: undefined }],
  ['with a name that no lease can have', { ...lease, name: '../x' }],
  ['of an app, with a name of the sidecar', { ...lease, name: '@window' }],
  ['of the sidecar, with a name of an app', { ...lease, kind: 'builtin' }],
  ['of an unknown kind', { ...lease, kind: 'eternal' }],
  ['with a number for a reason', { ...lease, reason: 5 }],
  ['with a reason that is too long', { ...lease, reason: 'x'.repeat(600) }],
  ['since text', { ...lease, sinceMs: '5' }],
  ['since before the boot', { ...lease, sinceMs: -1 }],
  ['since some time that is still to come', { ...lease, sinceMs: LATER }],
  ['that ends before the boot', { ...lease, endsAtMs: -1 }],
  ['that ends in a thousand years', { ...lease, endsAtMs: PRESENT.nowMs + 1000 * 365 * 86_400_000 }],
  ['that never ends', { ...lease, endsAtMs: null }],
  ['without a time to live', { ...lease, ttlMs: null }],
  ['with an endless time to live', { ...lease, ttlMs: 1e308 }],
  ['by connection, with a time to live', { ...lease, kind: 'connection' }],
  ['renewed by halves', { ...lease, renewals: 0.5 }],
  ['renewed less than never', { ...lease, renewals: -1 }],
  ['of nobody', { ...lease, peer: null }],
  ['that ended for no known reason', { ...lease, ended: { reason: 'bored', atMs: 5 } }],
  ['that ended in time to come', { ...lease, ended: { reason: 'lost', atMs: LATER } }],
  ['whose end is text', { ...lease, ended: 'lost' }],
])('a lease %s is none', (_, fields) => {
  expect(decode(lineOf({ version: 2, boot: BOOT, kind: 'lease', lease: fields }))).toEqual({ kind: 'unknown', problem: expect.any(String) as string });
});

test.each<[string, object]>([
  ['with a loss in time to come', { ...HEADER, lostAtMs: LATER }],
  ['with a loss before the boot', { ...HEADER, lostAtMs: -1 }],
  ['with a clock of text', { ...HEADER, wallOffsetMs: 'now' }],
  ['without a start', { ...HEADER, isStartOver: undefined }],
  ['with an update that is a number', { ...HEADER, update: 7 }],
  ['with an update that waits without a count', { ...HEADER, update: { waiting: [] } }],
  ['with an update that waited for longer than the boot', { ...HEADER, update: { waiting: [], waited: { ...WAITED, waitedMs: LATER } } }],
  ['with a drain without end', { ...HEADER, update: { waiting: [], waited: { ...WAITED, drainEndsAtMs: 1e300 } } }],
])('a header %s is none', (_, header) => {
  expect(decode(lineOf({ version: 2, boot: BOOT, kind: 'header', header })).kind).toBe('unknown');
});

test.each<[string, unknown]>([
  ['null', null],
  ['a number', 5],
  ['a list', [1]],
  ['a lease that is null', { version: 2, boot: BOOT, kind: 'lease', lease: null }],
  ['a header that is null', { version: 2, boot: BOOT, kind: 'header', header: null }],
  ['of an unknown kind', { version: 2, boot: BOOT, kind: 'poem', lease }],
])('a record that is %s is not understood, and harms nothing', (_, record) => {
  expect(['unknown', 'void']).toContain(decode(lineOf(record)).kind);
});

test('a record of a later version is skipped, and its version said', () => {
  const decoded = decode(lineOf({ version: 3, boot: BOOT, kind: 'lease', lease: { holder: 'recorder' } }));
  expect(decoded).toEqual({ kind: 'unknown', problem: 'of version 3, this is version 2' });
});

test('a lease of the first version, which had no ids, gets one', () => {
  const former: Partial<Lease> = { ...makeEndedLease('recorder', 9) };
  delete (former as { id?: string }).id;
  const decoded = decode(lineOf({ kind: 'lease', boot: BOOT, lease: former }));
  expect(decoded).toMatchObject({ kind: 'record', isOutdated: true, record: { kind: 'lease', lease: { ...former, id: expect.stringMatching(/^[\w-]{16,}$/) as string } } });
});

test('a lease that has ended is told from a live one', () => {
  expect(isEnded(makeEndedLease('r', 1))).toBe(true);
  expect(isEnded(makeLease('r'))).toBe(false);
});
