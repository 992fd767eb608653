import { lstatSync, mkdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { execFileSync, spawn } from 'node:child_process';
import { heliosLocks, supervisorLocks, supervisorUnlocks } from '../support/readers';
import { Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

/** What may stand where our lock file should go, and what a request is then told. */
const STANDING: [string, (path: string) => void, { code: string; state: string; path: string }][] = [
  ["the Supervisor's lock", (path) => supervisorLocks(path), { code: 'updating', state: 'updating', path: 'supervisor' }],
  ["Helios's lock", heliosLocks, { code: 'updating', state: 'updating', path: 'supervisor' }],
  ['a file that somebody has touched', (path) => { writeFileSync(path, ''); }, { code: 'foreign-lock', state: 'foreign', path: 'foreign' }],
  ['a directory', (path) => { mkdirSync(path); }, { code: 'foreign-lock', state: 'foreign', path: 'foreign' }],
  ['a dangling link', (path) => { symlinkSync('/nowhere', path); }, { code: 'foreign-lock', state: 'foreign', path: 'foreign' }],
  ['a pipe', (path) => { execFileSync('mkfifo', [path]); }, { code: 'foreign-lock', state: 'foreign', path: 'foreign' }],
];

describe.each([0, 1])('when lock file %i is taken', (index) => {
  test.each(STANDING)('by %s, a request is refused, told why, and nothing is touched', async (_what, put, expected) => {
    const sidecar = await Sidecar.start();
    const path = sidecar.lockFiles[index] ?? '';
    put(path);
    const before = lstatSync(path);

    const refused = await sidecar.put('recorder', { wait: 0 });
    expect([refused.status, refused.body.code]).toEqual([423, expected.code]);
    const { ino, mode, ctimeMs } = lstatSync(path);
    expect({ ino, mode, ctimeMs }).toEqual({ ino: before.ino, mode: before.mode, ctimeMs: before.ctimeMs });

    const lock = (await sidecar.send('GET', '/v1/lock')).body;
    expect(lock.state).toBe(expected.state);
    expect(lock.paths[index].state).toBe(expected.path);
    expect(lock.paths[1 - index].state).toBe('absent');
    expect((await sidecar.send('GET', '/readyz')).status).toBe(503);
  });
});

test('a lock file of before our start stays, and blocks, until whoever made it removes it', async () => {
  const sidecar = await Sidecar.start();
  const [path = ''] = sidecar.lockFiles;
  await sidecar.kill('SIGTERM');
  writeFileSync(path, 'mine');
  const again = await sidecar.startAgain();
  expect((await again.put('recorder', { wait: 0 })).body.code).toBe('foreign-lock');
  expect(readFileSync(path, 'utf8')).toBe('mine');
  unlinkSync(path);
  expect((await again.put('recorder')).status).toBe(201);
});

describe('waiting', () => {
  test('ends as soon as the Supervisor is done, in order of arrival', async () => {
    const sidecar = await Sidecar.start();
    sidecar.lockFiles.forEach(supervisorLocks);
    const order: string[] = [];
    const waiting = ['first', 'second', 'third'].map(async (name) => {
      const { status } = await sidecar.put(name, { wait: 60 });
      order.push(name);
      return status;
    });
    // All of them are in the queue once a later request has been answered.
    await sidecar.put('impatient', { wait: 0 });
    supervisorUnlocks(sidecar.lockFiles);
    expect(await Promise.all(waiting)).toEqual([201, 201, 201]);
    await sidecar.logged('lease acquired', { name: 'third' });
    const acquired = sidecar.lines().filter((line) => line['message'] === 'lease acquired');
    expect(acquired.map((line) => line['name'])).toEqual(['first', 'second', 'third']);
  });

  test('ends with the refusal when the time is over', async () => {
    const sidecar = await Sidecar.start();
    sidecar.lockFiles.forEach(supervisorLocks);
    const refused = await sidecar.put('recorder', { wait: '200ms' });
    expect([refused.status, refused.body.code]).toEqual([423, 'updating']);
  });

  test('by default outlasts an attempt of the Supervisor that comes and goes', async () => {
    const sidecar = await Sidecar.start();
    const [path = ''] = sidecar.lockFiles;
    supervisorLocks(path);
    const answer = sidecar.put('recorder');
    await sidecar.send('GET', '/healthz');
    unlinkSync(path);
    expect((await answer).status).toBe(201);
  });

  test('of a client that goes away ends without a lease', async () => {
    const sidecar = await Sidecar.start();
    sidecar.lockFiles.forEach(supervisorLocks);
    const url = 'http://localhost/v1/leases/gone?wait=60';
    const client = spawn('curl', ['-s', '--unix-socket', sidecar.socketPath, '-X', 'PUT', url], { stdio: 'ignore' });
    await sidecar.logged('request waits', { name: 'gone' });
    client.kill('SIGKILL');
    await sidecar.logged('request dropped: its client has gone', { name: 'gone' });
    supervisorUnlocks(sidecar.lockFiles);
    expect((await sidecar.put('recorder')).status).toBe(201);
    expect((await sidecar.send('GET', '/v1/leases/gone')).status).toBe(404);
  });
});
