import fc from 'fast-check';
import { crc32 } from 'node:zlib';
import type { EndedLease, Lease } from '../../sidecar/leases/lease';
import { NAME_PATTERN } from '../../sidecar/leases/lease';
import { encodeRecord, RECORD_BYTES } from '../../sidecar/journal/record';
import { FUZZ_SEED, fuzzRuns, fuzzTimeoutMs } from '../support/fuzz';
import { makeFolder } from '../support/sidecar';
import { BOOT, JournalFile, NOW_MS } from '../unit/journal-file';
import { makeEndedLease, makeLease } from '../unit/make-lease';
import { mutatedBytes, mutatedJson } from './mutations';

const LEASES: readonly (Lease | EndedLease)[] = [
  makeLease('recorder', { reason: 'recording "everything"', sinceMs: NOW_MS - 5000, endsAtMs: NOW_MS + 60_000 }),
  makeLease('backup', { kind: 'connection', ttlMs: null, endsAtMs: null, sinceMs: NOW_MS - 4000, peer: '::1' }),
  makeLease('@window', { kind: 'builtin', ttlMs: null, endsAtMs: null, sinceMs: NOW_MS - 3000, peer: 'sidecar' }),
  makeLease('renewed', { renewals: 12, sinceMs: NOW_MS - 2000, endsAtMs: NOW_MS + 1000, reason: '😀'.repeat(256) }),
  makeEndedLease('gone', NOW_MS - 1000, 'drained'),
];
const HEADER = { lostAtMs: NOW_MS - 9000, wallOffsetMs: 1.7e12, isStartOver: true, update: null };

const RECORDS = [{ kind: 'header' as const, header: HEADER }, ...LEASES.map((lease) => ({ kind: 'lease' as const, lease }))];

function line(record: (typeof RECORDS)[number]): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES);
  encodeRecord(record, BOOT, bytes);
  return bytes;
}

/** A line with a right checksum, whatever it says. */
function sealed(record: unknown): Buffer {
  const json = JSON.stringify(record);
  return Buffer.from(`${`${crc32(json).toString(16).padStart(8, '0')} ${json}`.padEnd(RECORD_BYTES - 1)}\n`);
}

const folder = makeFolder();
const file = new JournalFile(folder);
afterAll(() => { file.remove(); });

const parameters = { seed: FUZZ_SEED, numRuns: fuzzRuns(400) };

test(`whatever comes of its bytes, a journal is read, and no lease is in it that was not written (seed ${String(FUZZ_SEED)})`, () => {
  const journals = fc.subarray(RECORDS, { minLength: 1 }).map((records) => Buffer.concat(records.map(line)));
  const written = LEASES.map((lease) => JSON.stringify(lease));
  fc.assert(fc.property(mutatedBytes(journals), (bytes) => {
    file.content = bytes;
    const { live, ended } = file.recover();
    for (const lease of [...live, ...ended]) expect(written).toContain(JSON.stringify(lease));
    // What was put in order is whole.
    expect(file.use().problems).toEqual([]);
    expect(file.recover()).toMatchObject({ live, ended });
  }), parameters);
}, fuzzTimeoutMs(60_000));

test(`whatever a record says that was written whole, it is a lease that can be shown, or is skipped (seed ${String(FUZZ_SEED)})`, () => {
  const records = fc.constantFrom(...RECORDS.map((record): unknown => ({ version: 2, boot: BOOT, ...record })));
  fc.assert(fc.property(fc.array(mutatedJson(records), { minLength: 1, maxLength: 5 }), (all) => {
    file.content = Buffer.concat(all.map(sealed));
    const { live, ended } = file.recover();
    for (const { id, name, reason, sinceMs, endsAtMs, ttlMs, renewals } of [...live, ...ended]) {
      expect(id).toMatch(/^[\w-]{1,64}$/);
      expect(name.startsWith('@') || NAME_PATTERN.test(name)).toBe(true);
      expect([...reason].length).toBeLessThanOrEqual(256);
      expect(sinceMs).toBeLessThanOrEqual(NOW_MS);
      for (const ms of [sinceMs, ttlMs ?? 0, endsAtMs ?? 0, renewals]) expect(Number.isFinite(ms) && ms >= 0).toBe(true);
      expect(() => new Date(NOW_MS + (endsAtMs ?? 0)).toISOString()).not.toThrow();
    }
  }), parameters);
}, fuzzTimeoutMs(60_000));
