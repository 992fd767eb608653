import { existsSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hold } from '../support/hold';
import { heliosForces, holdsBackHost, NOBODY, supervisorForces, supervisorUnlocks } from '../support/readers';
import { removeFolder } from '../support/remove-folder';
import { Sidecar } from '../support/sidecar';
import { until } from '../support/until';

afterEach(() => Sidecar.cleanUp());

async function lossesBy(sidecar: Sidecar, cause: string): Promise<number> {
  const { text } = await sidecar.send('GET', '/metrics');
  return Number(new RegExp(`^update_lock_lost_total\\{cause="${cause}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
}

const WAYS: [string, string, (paths: readonly string[]) => void][] = [
  ['by the Supervisor by force', 'supervisor', (paths) => { expect(supervisorForces(paths)).toEqual([true, true]); }],
  ['by Helios by force', 'helios', ([path = '']) => { heliosForces(path); }],
  ['by hand', 'removed', ([path = '']) => { unlinkSync(path); }],
  ['by hand, the second file', 'removed', ([, path = '']) => { unlinkSync(path); }],
  ['by a file renamed over it', 'replaced', ([path = '']) => {
    writeFileSync(`${path}.new`, 'mine');
    renameSync(`${path}.new`, path);
  }],
];

describe.each(WAYS)('a lock that is taken away %s', (_how, cause, takeAway) => {
  test('is lost: holders are told, leases end, and the cooldown lets the update through', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOST_COOLDOWN: '1500ms' } });
    await sidecar.put('timed', { ttl: 600 });
    const hold = await Hold.open(sidecar.target, 'held');
    await hold.line('held');

    takeAway(sidecar.lockFiles);
    const ended = await hold.line('ended');
    expect(ended['lease'].ended.reason).toBe('lost');
    expect((await sidecar.send('GET', '/v1/leases/timed')).body.ended.reason).toBe('lost');
    const isUpdating = cause === 'supervisor' || cause === 'helios';
    const state = isUpdating ? 'updating' : 'cooldown';
    const { body: lock } = await sidecar.send('GET', '/v1/lock');
    expect(lock).toMatchObject({ state, leases: [], flock: false });
    expect(lock.summary).toMatch(isUpdating ? /^An update is being applied/ : /^The lock was just taken away from outside/);
    const refused = await sidecar.put('timed', { wait: 0 });
    expect([refused.status, refused.body.code]).toEqual([423, state]);
    // Nobody can say how long an update takes.
    expect(refused.headers['retry-after']).toBe(isUpdating ? undefined : String(refused.body.retryAfterSeconds));

    await sidecar.logged('lock lost: it was taken away from outside', { cause });
    expect(await lossesBy(sidecar, cause)).toBe(1);
    // Nothing of ours is left in anybody's way, and nothing of theirs was touched.
    expect(sidecar.lockFiles.filter((path) => existsSync(path) && lstatSync(path).nlink > 1)).toEqual([]);
    if (cause === 'supervisor') {
      for (const path of sidecar.lockFiles) expect(lstatSync(path).uid).toBe(NOBODY);
      supervisorUnlocks(sidecar.lockFiles);
    } else {
      for (const path of sidecar.lockFiles) rmSync(path, { force: true });
    }
    const wait = { wait: 10 };
    expect((await sidecar.put('timed', wait)).status).toBe(201);
    for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
  });
});

test('a loss is noticed within 100 ms', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOST_COOLDOWN: '0' } });
  const tookMs: number[] = [];
  for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) {
    const hold = await Hold.open(sidecar.target, name);
    await hold.line('held');
    const takenAtMs = performance.now();
    unlinkSync(sidecar.lockFiles[0] ?? '');
    await hold.line('ended');
    tookMs.push(performance.now() - takenAtMs);
  }
  // The best of five: what it is about is that the kernel tells, not how busy this machine is.
  expect(Math.min(...tookMs)).toBeLessThan(100);
});

test('a loss outlives a restart: the cooldown goes on', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  unlinkSync(sidecar.lockFiles[0] ?? '');
  await sidecar.logged('lease ended', { ended: 'lost' });
  await sidecar.kill();
  const again = await sidecar.startAgain();
  expect((await again.put('recorder', { wait: 0 })).body.code).toBe('cooldown');
});

test('a renewal that comes before the news of the loss is not acknowledged', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  sidecar.process.kill('SIGSTOP');
  unlinkSync(sidecar.lockFiles[0] ?? '');
  const renewal = sidecar.put('recorder', { wait: 0 });
  sidecar.process.kill('SIGCONT');
  expect((await renewal).body.code).toBe('cooldown');
});

test('an extra name of our file is no loss, and does not hide one', async () => {
  const sidecar = await Sidecar.start();
  const [path = ''] = sidecar.lockFiles;
  await sidecar.put('recorder');
  linkSync(path, join(sidecar.folder, 'copy'));
  expect((await sidecar.put('recorder')).status).toBe(200);
  unlinkSync(path);
  await sidecar.logged('lease ended', { ended: 'lost' });
});

test('a forced update that gives up at once is still one of the Supervisor', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('app');
  const [path = ''] = sidecar.lockFiles;
  // As where it has the lock of this service, but not that of another one.
  expect(supervisorForces([path])).toEqual([true]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  supervisorUnlocks([path]);
  await sidecar.logged('lock lost: it was taken away from outside', { cause: 'supervisor' });
});

test.each(['removed', 'moved away and made anew'])('a lock directory that is %s is a loss, and is taken into use again', async (how) => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOST_COOLDOWN: '0' } });
  await sidecar.put('recorder');
  if (how === 'removed') await removeFolder(sidecar.directory);
  else renameSync(sidecar.directory, `${sidecar.directory}.old`);
  mkdirSync(sidecar.directory);
  await sidecar.logged('lease ended', { ended: 'lost' });
  expect((await sidecar.put('recorder', { wait: 5 })).status).toBe(201);
  for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
  await until(async () => (await sidecar.send('GET', '/readyz')).status === 200);
  unlinkSync(sidecar.lockFiles[0] ?? '');
  await sidecar.logged('lease ended', { ended: 'lost' }, 2);
});
