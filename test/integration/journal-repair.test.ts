import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { holdsBackHost } from '../support/readers';
import { Sidecar } from '../support/sidecar';
import { until } from '../support/until';

afterEach(() => Sidecar.cleanUp());

function journalOf(sidecar: Sidecar): string {
  return join(sidecar.directory, '.update-lock/journal');
}

function present(sidecar: Sidecar): string[] {
  return sidecar.lockFiles.filter((path) => existsSync(path));
}

async function names(sidecar: Sidecar): Promise<string[]> {
  return ((await sidecar.send('GET', '/v1/leases')).body.leases as { name: string }[]).map(({ name }) => name);
}

const JUNK: [string, Buffer][] = [
  ['a word', Buffer.from('junk')],
  ['a line', Buffer.from('junk\n')],
  ['lines without end', Buffer.from('\n'.repeat(700))],
  ['zeros', Buffer.alloc(5000)],
  ['a line less one byte', Buffer.alloc(2047, 0x20)],
  ['exactly a line', Buffer.alloc(2048, 0x20)],
  ['what is not text', Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 37) % 256))],
];

test.each(JUNK)('a journal before which somebody has put %s keeps its leases through two crashes', async (_what, junk) => {
  const sidecar = await Sidecar.start();
  for (const name of ['first', 'second', 'third']) await sidecar.put(name);
  await sidecar.release('second');
  await sidecar.kill();
  const path = journalOf(sidecar);
  writeFileSync(path, Buffer.concat([junk, readFileSync(path)]));
  await (await sidecar.startAgain()).kill();
  const again = await sidecar.startAgain();
  expect(await names(again)).toEqual(['first', 'third']);
  expect((await again.send('GET', '/v1/leases/second')).status).toBe(410);
  await again.put('fourth');
  await again.kill();
  expect(await names(await sidecar.startAgain())).toEqual(['first', 'third', 'fourth']);
});

test('a journal that is deleted while the lock is held is written anew before the next answer', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('first');
  await sidecar.put('released');
  await sidecar.release('released');
  unlinkSync(journalOf(sidecar));
  expect((await sidecar.put('second')).status).toBe(201);
  await sidecar.kill();
  const again = await sidecar.startAgain();
  expect(await names(again)).toEqual(['first', 'second']);
  for (const path of again.lockFiles) expect(holdsBackHost(path)).toBe(true);
  unlinkSync(journalOf(again));
  expect((await again.put('first', { ttl: 600 })).status).toBe(200);
  await again.release('second');
  await again.kill();
  expect(await names(await sidecar.startAgain())).toEqual(['first']);
});

test('while our folder is missing nothing is acknowledged that a crash would lose', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  rmSync(join(sidecar.directory, '.update-lock'), { recursive: true });
  for (const name of ['recorder', 'another']) expect((await sidecar.put(name, { wait: 0 })).status).toBe(503);
  for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
  await sidecar.kill();
  // Its file is nobody's now; it must not block for ever.
  const again = await sidecar.startAgain();
  expect(await names(again)).toEqual([]);
  expect(present(again)).toEqual([]);
  await until(async () => (await again.put('recorder')).status === 201);
  for (const path of again.lockFiles) expect(holdsBackHost(path)).toBe(true);
});

test('a lease whose time was up while there was no sidecar has expired, even if its files are gone', async () => {
  const sidecar = await Sidecar.start();
  const { body } = await sidecar.put('recorder', { ttl: 1 });
  await sidecar.kill();
  for (const path of sidecar.lockFiles) unlinkSync(path);
  await until(() => Date.now() > Date.parse(body.expires as string));
  const again = await sidecar.startAgain();
  expect((await again.send('GET', '/v1/leases/recorder')).body.ended.reason).toBe('expired');
  expect((await again.put('recorder', { wait: 0 })).status).toBe(201);
});

test('a journal that is moved aside while the lock is held is written anew before the next answer', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('first');
  renameSync(journalOf(sidecar), `${journalOf(sidecar)}.moved`);
  expect((await sidecar.put('second')).status).toBe(201);
  await sidecar.kill();
  expect(await names(await sidecar.startAgain())).toEqual(['first', 'second']);
});

test.each<[string, (path: string) => void]>([
  ['a directory', (path) => { mkdirSync(path); }],
  ['a link to another file', (path) => { symlinkSync('/etc/hostname', path); }],
  ['a pipe', (path) => { execFileSync('mkfifo', [path]); }],
  ['a file that only somebody else may read', (path) => { writeFileSync(path, 'x', { mode: 0 }); }],
])('%s in the place of the journal does not keep the lock on disk, and is said', async (_, put) => {
  const sidecar = await Sidecar.start();
  await sidecar.put('app', { ttl: '1h' });
  await sidecar.kill();
  rmSync(journalOf(sidecar));
  put(journalOf(sidecar));
  const again = await sidecar.startAgain();
  const { detail } = await again.logged('operation failed', { operation: 'journal' });
  expect(detail).toMatch(/the journal cannot be opened .* renamed to journal\.unreadable/);
  await until(() => present(again).length === 0);
  expect((await again.put('next')).status).toBe(201);
  await again.kill();
  expect(await names(await sidecar.startAgain())).toEqual(['next']);
});
