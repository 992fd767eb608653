import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hold } from '../support/hold';
import { holdsBackHost } from '../support/readers';
import { removeFolder } from '../support/remove-folder';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

afterEach(() => Sidecar.cleanUp());

const NO_COOLDOWN = { UPDATE_LOCK_LOST_COOLDOWN: '0' };

function present(sidecar: Sidecar): string[] {
  return sidecar.lockFiles.filter((path) => existsSync(path));
}

/** A sidecar whose socket stays reachable whatever becomes of the folder of its lock directory. */
async function startBelow(parentMode = 0o755, environment: Readonly<Record<string, string>> = {}): Promise<{ sidecar: Sidecar; parent: string }> {
  const folder = makeFolder();
  const parent = join(folder, 'parent');
  mkdirSync(parent);
  chmodSync(parent, parentMode);
  const sidecar = await Sidecar.start({ folder, environment: { ...NO_COOLDOWN, UPDATE_LOCK_DIR: join(parent, 'lock'), ...environment } });
  return { sidecar, parent };
}

async function expectAnswers(sidecar: Sidecar): Promise<void> {
  expect((await sidecar.send('GET', '/healthz')).status).toBe(200);
  expect((await sidecar.send('GET', '/v1/lock')).status).toBe(200);
  expect((await sidecar.send('GET', '/metrics')).status).toBe(200);
  expect([200, 503]).toContain((await sidecar.send('GET', '/readyz')).status);
}

async function expectWorks(sidecar: Sidecar): Promise<void> {
  await until(async () => (await sidecar.put('afterwards', { wait: 0 })).status === 201);
  for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
  expect((await sidecar.send('GET', '/v1/lock')).body).toMatchObject({ state: 'held', flock: true });
  expect((await sidecar.release('afterwards')).status).toBe(200);
  expect(present(sidecar)).toEqual([]);
  await until(async () => (await sidecar.send('GET', '/readyz')).status === 200);
}

describe.each([['while the lock is held', true], ['while it is free', false]])('%s', (_when, isHeld) => {
  test('a file in the place of the lock directory is survived, and the lock works again with the directory', async () => {
    const { sidecar } = await startBelow();
    if (isHeld) await sidecar.put('recorder');
    await removeFolder(sidecar.directory);
    writeFileSync(sidecar.directory, '');
    if (isHeld) await sidecar.logged('lease ended', { ended: 'lost' });
    await expectAnswers(sidecar);
    expect((await sidecar.put('recorder', { wait: 0 })).body).toMatchObject({ status: 503, code: 'cannot-lock' });
    expect((await sidecar.send('GET', '/v1/lock')).body).toMatchObject({ state: 'unavailable', leases: [] });
    unlinkSync(sidecar.directory);
    mkdirSync(sidecar.directory);
    await expectWorks(sidecar);
  });

  test('a file in the place of our folder is survived', async () => {
    const { sidecar } = await startBelow();
    if (isHeld) await sidecar.put('recorder');
    const ours = join(sidecar.directory, '.update-lock');
    await removeFolder(ours);
    writeFileSync(ours, '');
    await expectAnswers(sidecar);
    if (isHeld) {
      // What could not be recovered after a crash is not acknowledged.
      expect((await sidecar.put('recorder', { wait: 0 })).body.code).toBe('cannot-lock');
      for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
      expect((await sidecar.release('recorder')).status).toBe(200);
      expect(present(sidecar)).toEqual([]);
    }
    expect((await sidecar.put('recorder', { wait: 0 })).body.code).toBe('cannot-lock');
    unlinkSync(ours);
    await expectWorks(sidecar);
  });

  test('a folder above that is closed to the owner of the lock files is survived', async () => {
    const { sidecar, parent } = await startBelow();
    if (isHeld) await sidecar.put('recorder');
    chmodSync(parent, 0o700);
    await expectAnswers(sidecar);
    if (isHeld) {
      expect((await sidecar.put('recorder')).status).toBe(200);
      expect((await sidecar.release('recorder')).status).toBe(200);
      // Without our being asked for anything.
      await until(() => present(sidecar).length === 0);
    }
    await expectWorks(sidecar);
    chmodSync(parent, 0o755);
    await expectWorks(sidecar);
  });
});

test('a lock directory below one that only root may enter is used as root', async () => {
  const { sidecar } = await startBelow(0o700);
  expect((await sidecar.put('recorder')).status).toBe(201);
  const { body } = await sidecar.send('GET', '/v1/lock');
  expect((body.paths as { state: string }[]).map(({ state }) => state)).toEqual(['ours', 'ours']);
  expect((await sidecar.put('recorder')).status).toBe(200);
  expect((await sidecar.send('GET', '/readyz')).status).toBe(200);
  expect((await sidecar.release('recorder')).status).toBe(200);
  expect(present(sidecar)).toEqual([]);
  await sidecar.put('recorder');
  await sidecar.kill();
  const again = await sidecar.startAgain({ UPDATE_LOCK_DIR: sidecar.directory });
  expect((await again.send('GET', '/v1/leases/recorder')).status).toBe(200);
  expect((await again.release('recorder')).status).toBe(200);
  expect(present(again)).toEqual([]);
});

describe('the legacy path', () => {
  const LEGACY = 'closed/resin-updates.lock';

  test('may be in a directory that only root may enter', async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'closed'), { mode: 0o700 });
    const path = join(folder, LEGACY);
    const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_LEGACY_PATH: path } });
    expect((await sidecar.put('recorder')).status).toBe(201);
    expect((await sidecar.send('GET', '/v1/lock')).body.paths).toContainEqual({ path, state: 'ours' });
    expect((await sidecar.put('recorder')).status).toBe(200);
    expect((await sidecar.send('GET', '/readyz')).status).toBe(200);
    expect((await sidecar.release('recorder')).status).toBe(200);
    expect([...sidecar.lockFiles, path].filter((each) => existsSync(each))).toEqual([]);
  });

  test('is watched: its file going is noticed within 100 ms, and holders are told', async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'closed'));
    const path = join(folder, LEGACY);
    const sidecar = await Sidecar.start({ folder, environment: { ...NO_COOLDOWN, UPDATE_LOCK_LEGACY_PATH: path } });
    const tookMs: number[] = [];
    for (const name of ['first', 'second', 'third']) {
      const hold = await Hold.open(sidecar.target, name);
      await hold.line('held');
      const takenAtMs = performance.now();
      unlinkSync(path);
      expect((await hold.line('ended'))['lease'].ended.reason).toBe('lost');
      tookMs.push(performance.now() - takenAtMs);
    }
    expect(Math.min(...tookMs)).toBeLessThan(100);
  });
});

test('a lock file that was just moved away is not added to', async () => {
  const sidecar = await Sidecar.start();
  const [path = ''] = sidecar.lockFiles;
  await sidecar.put('recorder');
  sidecar.process.kill('SIGSTOP');
  renameSync(path, `${path}.bak`);
  const added = sidecar.put('another', { wait: 0 });
  sidecar.process.kill('SIGCONT');
  expect((await added).body.code).toBe('cooldown');
  expect((await sidecar.send('GET', '/v1/leases/recorder')).body.ended.reason).toBe('lost');
});

describe('a folder above that is moved away and made anew', () => {
  test('while the lock is held is a loss for whoever asks', async () => {
    const { sidecar, parent } = await startBelow();
    await sidecar.put('recorder');
    renameSync(parent, `${parent}.old`);
    mkdirSync(sidecar.directory, { recursive: true });
    expect((await sidecar.send('GET', '/v1/lock')).body.state).not.toBe('held');
    expect((await sidecar.send('GET', '/v1/leases/recorder')).body.ended.reason).toBe('lost');
    await expectWorks(sidecar);
  });

  test('while it is free costs nothing, and the new one is watched at once', async () => {
    const { sidecar, parent } = await startBelow();
    renameSync(parent, `${parent}.old`);
    mkdirSync(sidecar.directory, { recursive: true });
    const hold = await Hold.open(sidecar.target, 'recorder', '?wait=2');
    expect(hold.status).toBe(200);
    await hold.line('held');
    for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
    const takenAtMs = performance.now();
    unlinkSync(sidecar.lockFiles[0] ?? '');
    await hold.line('ended');
    expect(performance.now() - takenAtMs).toBeLessThan(1000);
  });
});

test('a lock directory that is moved away and made anew is watched at once', async () => {
  const { sidecar } = await startBelow();
  renameSync(sidecar.directory, `${sidecar.directory}.old`);
  mkdirSync(sidecar.directory);
  const hold = await Hold.open(sidecar.target, 'recorder', '?wait=2');
  await hold.line('held');
  const takenAtMs = performance.now();
  unlinkSync(sidecar.lockFiles[0] ?? '');
  await hold.line('ended');
  expect(performance.now() - takenAtMs).toBeLessThan(1000);
});

test('a lock directory that others may not write to any more does not keep a release from removing the files', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  execFileSync('chmod', ['755', sidecar.directory]);
  expect((await sidecar.release('recorder')).status).toBe(200);
  expect(present(sidecar)).toEqual([]);
});

test('the hold of the start is taken as soon as the lock directory can be used', async () => {
  const folder = makeFolder();
  writeFileSync(join(folder, 'lock'), '');
  const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_HOLD_ON_START: '1m' } });
  expect((await sidecar.send('GET', '/v1/leases')).body.leases).toEqual([]);
  unlinkSync(join(folder, 'lock'));
  await until(() => present(sidecar).length === 2);
  expect((await sidecar.send('GET', '/v1/leases/@start')).status).toBe(200);
});

describe('a lease that is found only when the lock directory can be opened at last', () => {
  async function startWithout(environment: Readonly<Record<string, string>> = {}): Promise<{ again: Sidecar; putBack: () => void }> {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder');
    await sidecar.kill();
    const aside = `${sidecar.directory}.aside`;
    renameSync(sidecar.directory, aside);
    writeFileSync(sidecar.directory, '');
    const again = await sidecar.startAgain(environment);
    return {
      again,
      putBack: () => {
        unlinkSync(sidecar.directory);
        renameSync(aside, sidecar.directory);
      },
    };
  }

  /** The first answer after those that say that nothing is known yet. */
  async function firstKnown(ask: () => ReturnType<Sidecar['send']>): Promise<Awaited<ReturnType<Sidecar['send']>>> {
    let answer = await ask();
    await until(async () => answer.status !== 503 || ((answer = await ask()).status !== 503));
    return answer;
  }

  test('can be released', async () => {
    const { again, putBack } = await startWithout();
    expect((await again.release('recorder')).status).toBe(503);
    putBack();
    expect((await firstKnown(() => again.release('recorder'))).status).toBe(200);
    expect(present(again)).toEqual([]);
  });

  test('is shown', async () => {
    const { again, putBack } = await startWithout();
    putBack();
    expect((await firstKnown(() => again.send('GET', '/v1/leases/recorder'))).status).toBe(200);
  });

  test('is renewed, not made anew', async () => {
    const { again, putBack } = await startWithout();
    putBack();
    const { status, body } = await firstKnown(() => again.put('recorder', { wait: 0 }));
    expect([status, body.renewals]).toEqual([200, 1]);
  });

  test('is told of by the lock', async () => {
    const { again, putBack } = await startWithout();
    putBack();
    let body: { state: string; leases: unknown[]; paths: unknown[] } = { state: 'unavailable', leases: [], paths: [] };
    await until(async () => (body = (await again.send('GET', '/v1/lock')).body as typeof body).state !== 'unavailable');
    expect(body).toMatchObject({ state: 'held', leases: [{ name: 'recorder' }], paths: [{ state: 'ours' }, { state: 'ours' }] });
  });

  test('and was lost meanwhile begins the cooldown for the very request that opened it', async () => {
    const { again, putBack } = await startWithout();
    putBack();
    unlinkSync(again.lockFiles[0] ?? '');
    expect((await firstKnown(() => again.put('another', { wait: 0 }))).body.code).toBe('cooldown');
    expect(present(again)).toEqual([]);
  });
});

test('a lease in a directory that is moved to the path is renewed by the very request that finds it', async () => {
  const { sidecar: former, parent } = await startBelow();
  await former.put('recorder');
  await former.kill();
  renameSync(parent, `${parent}.aside`);
  const sidecar = await former.startAgain({ UPDATE_LOCK_DIR: former.directory });
  // Of what happens above the lock directory the kernel does not tell.
  renameSync(parent, `${parent}.new`);
  renameSync(`${parent}.aside`, parent);
  const { status, body } = await sidecar.put('recorder');
  expect([status, body.renewals]).toEqual([200, 1]);
  expect((await sidecar.release('recorder')).status).toBe(200);
  expect(present(sidecar)).toEqual([]);
});
