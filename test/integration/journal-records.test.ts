import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { RECORD_BYTES } from '../../sidecar/journal/record';
import { holdsBackHost } from '../support/readers';
import { Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

type Fields = Record<string, unknown>;
interface JournalRecord extends Fields { lease?: Fields }

const journalOf = (sidecar: Sidecar): string => join(sidecar.directory, '.update-lock/journal');

/** Every record of a journal as it is on disk, in the order of the lines. */
function readRecords(path: string): JournalRecord[] {
  return readFileSync(path, 'utf8').split('\n').filter((line) => line.trim() !== '').map((line) => JSON.parse(line.slice(9)) as JournalRecord);
}

function writeRecords(path: string, records: readonly unknown[]): void {
  const lines = records.map((record) => {
    const json = JSON.stringify(record);
    return `${`${crc32(json).toString(16).padStart(8, '0')} ${json}`.padEnd(RECORD_BYTES - 1)}\n`;
  });
  writeFileSync(path, lines.join(''));
}

/** Changes records on disk, and their checksums with them, while no sidecar is there. */
function changeRecords(path: string, change: (record: JournalRecord, index: number) => unknown): void {
  writeRecords(path, readRecords(path).map(change));
}

function without(fields: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name));
}

async function names(sidecar: Sidecar): Promise<string[]> {
  return ((await sidecar.send('GET', '/v1/leases')).body.leases as { name: string }[]).map(({ name }) => name);
}

const complaints = (sidecar: Sidecar): unknown[] =>
  sidecar.lines().filter(({ message, operation }) => message === 'operation failed' && operation === 'journal').map(({ detail }) => detail);

test('after an upgrade within one boot the leases of a sidecar that knew no ids go on, and get one each', async () => {
  const sidecar = await Sidecar.start();
  const { body: before } = await sidecar.put('recorder', { reason: 'recording' });
  await sidecar.put('gone');
  await sidecar.release('gone');
  await sidecar.kill();
  changeRecords(journalOf(sidecar), ({ lease, ...record }) => ({ ...without(record, 'version'), ...(lease === undefined ? {} : { lease: without(lease, 'id') }) }));
  const upgraded = await sidecar.startAgain();
  for (const path of upgraded.lockFiles) expect(holdsBackHost(path)).toBe(true);
  const { body: after } = await upgraded.send('GET', '/v1/leases/recorder');
  expect(after).toMatchObject({ name: 'recorder', reason: 'recording', since: before.since as string, renewals: 0 });
  expect(after.id).not.toBe(before.id);
  const gone = (await upgraded.send('GET', '/v1/leases/gone')).body.lease;
  expect(complaints(upgraded)).toEqual([]);
  await upgraded.kill();
  const again = await sidecar.startAgain();
  expect((await again.send('GET', '/v1/leases/recorder')).body.id).toBe(after.id);
  expect((await again.send('GET', '/v1/leases/gone')).body.lease.id).toBe(gone.id);
  expect((await again.send('PUT', '/v1/leases/recorder', { headers: { 'If-Match': `"${String(after.id)}"` } })).status).toBe(200);
});

test.each<[string, (record: JournalRecord) => unknown]>([
  ['a lease that is null', (record) => ({ ...record, lease: null })],
  ['an end beyond all dates', (record) => ({ ...record, lease: { ...record.lease, endsAtMs: 1e300 } })],
  ['an end before the boot', (record) => ({ ...record, lease: { ...record.lease, endsAtMs: -5 } })],
  ['text for a time', (record) => ({ ...record, lease: { ...record.lease, sinceMs: 'soon' } })],
  ['an id with a line feed', (record) => ({ ...record, lease: { ...record.lease, id: 'a\r\nb' } })],
  ['an unknown kind', (record) => ({ ...record, kind: 'poem' })],
  ['a later version', (record) => ({ ...record, version: 99, holder: 'damaged' })],
  ['nothing of a record', () => 5],
])('a record with %s is skipped and said once; nothing else is harmed, and nothing is answered 500 or 503', async (_what, change) => {
  const sidecar = await Sidecar.start();
  for (const name of ['first', 'damaged', 'last']) await sidecar.put(name);
  await sidecar.kill();
  changeRecords(journalOf(sidecar), (record) => (record.lease?.['name'] === 'damaged' ? change(record) : record));
  const again = await sidecar.startAgain();
  expect(await names(again)).toEqual(['first', 'last']);
  expect(complaints(again)).toHaveLength(1);
  for (const path of ['/v1/lock', '/v1/leases', '/v1/history', '/readyz', '/metrics']) expect((await again.send('GET', path)).status).toBe(200);
  expect((await again.send('GET', '/v1/leases/damaged')).status).toBe(404);
  expect((await again.put('damaged')).status).toBe(201);
  expect((await again.put('first')).status).toBe(200);
  expect((await again.release('last')).status).toBe(200);
  await again.kill();
  const later = await sidecar.startAgain();
  expect(await names(later)).toEqual(['first', 'damaged']);
  expect(complaints(later)).toEqual([]);
});

test.each<[string, Fields]>([
  ['a loss in time to come', { lostAtMs: 1e15 }],
  ['a clock of text', { wallOffsetMs: 'now' }],
  ['an update that is a number', { update: 5 }],
  ['a drain without end', { update: { waiting: [], waited: { waitedMs: 1, countingSinceMs: null, drainEndsAtMs: 1e300 } } }],
])('a header with %s keeps nobody from a lease', async (_what, fields) => {
  const sidecar = await Sidecar.start();
  await sidecar.put('first');
  await sidecar.kill();
  changeRecords(journalOf(sidecar), (record) => (record['kind'] === 'header' ? { ...record, header: { ...(record['header'] as Fields), ...fields } } : record));
  const again = await sidecar.startAgain();
  expect(await names(again)).toEqual(['first']);
  expect(complaints(again)).toHaveLength(1);
  expect((await again.put('second', { wait: 0 })).status).toBe(201);
});
