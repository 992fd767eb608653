import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { holdsBackHost } from '../support/readers';
import { endGuards, guardsIn, makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

const others: ChildProcess[] = [];

afterEach(async () => {
  for (const other of others.splice(0)) other.kill('SIGKILL');
  await Sidecar.cleanUp();
});

function present(sidecar: Sidecar): string[] {
  return sidecar.lockFiles.filter((path) => existsSync(path));
}

async function endGuardsOf(sidecar: Sidecar): Promise<void> {
  endGuards(sidecar.folder);
  await until(() => guardsIn(sidecar.folder).length === 0);
}

/** Somebody else who holds flock on the lock file, until it is killed. */
async function flockElsewhere(path: string): Promise<ChildProcess> {
  const other = spawn('bash', ['-c', 'exec 9<"$0"; flock -s 9; echo; exec sleep 600', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  others.push(other);
  await once(other.stdout, 'data');
  return other;
}

/** A PATH with everything that the sidecar needs but flock. */
function pathWithoutFlock(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const command of ['sh', 'sleep']) symlinkSync(execFileSync('which', [command], { encoding: 'utf8' }).trim(), join(bin, command));
  return bin;
}

function addFlock(bin: string): void {
  symlinkSync(execFileSync('which', ['flock'], { encoding: 'utf8' }).trim(), join(bin, 'flock'));
}

async function isFlocked(sidecar: Sidecar): Promise<boolean> {
  return (await sidecar.send('GET', '/v1/lock')).body.flock as boolean;
}

async function expectNothingNew(sidecar: Sidecar): Promise<void> {
  for (const name of ['recorder', 'new']) {
    expect((await sidecar.put(name, { wait: 0 })).body).toMatchObject({ status: 503, code: 'cannot-lock' });
  }
  expect((await sidecar.send('GET', '/v1/lock')).body).toMatchObject({ state: 'held', flock: false });
  expect((await sidecar.send('GET', '/readyz')).status).toBe(503);
}

describe('while somebody else holds the flock at a restart', () => {
  async function restart(): Promise<{ again: Sidecar; other: ChildProcess }> {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder', { ttl: 600 });
    await sidecar.put('brief', { ttl: 1 });
    await sidecar.kill();
    await endGuardsOf(sidecar);
    const other = await flockElsewhere(sidecar.lockFiles[0] ?? '');
    return { again: await sidecar.startAgain({ UPDATE_LOCK_RESTART_GRACE: '1s' }), other };
  }

  test('leases are seen, expire and can be released, and nothing is granted until the lock was given back', async () => {
    const { again, other } = await restart();
    expect((await again.send('GET', '/v1/leases/recorder')).status).toBe(200);
    await expectNothingNew(again);
    await again.logged('lease ended', { name: 'brief', ended: 'expired' });
    expect((await again.release('recorder')).status).toBe(200);
    expect(present(again)).toEqual([]);
    // The other's flock is on a file that is not the lock any more.
    expect((await again.put('recorder', { wait: 0 })).status).toBe(201);
    expect(other.exitCode).toBeNull();
    expect(await isFlocked(again)).toBe(true);
    for (const path of again.lockFiles) expect(holdsBackHost(path)).toBe(true);
  });

  test('a lease that is kept has the flock again as soon as it can be had', async () => {
    const { again, other } = await restart();
    other.kill('SIGKILL');
    await until(() => isFlocked(again));
    for (const path of again.lockFiles) expect(holdsBackHost(path)).toBe(true);
    expect((await again.put('recorder')).status).toBe(200);
  });
});

describe('without the command flock at a restart', () => {
  test.each([['and the guard alive', true], ['and the guard ended', false]])('%s leases are seen and can be released', async (_how, isGuarded) => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder', { ttl: 600 });
    await sidecar.put('player', { ttl: 600 });
    await sidecar.kill();
    if (!isGuarded) await endGuardsOf(sidecar);
    const bin = pathWithoutFlock(sidecar.folder);
    const again = await sidecar.startAgain({ PATH: bin });
    expect((await again.send('GET', '/v1/leases/recorder')).status).toBe(200);
    await expectNothingNew(again);
    expect((await again.release('recorder')).status).toBe(200);
    addFlock(bin);
    await until(() => isFlocked(again));
    expect((await again.put('player')).status).toBe(200);
    expect((await again.release('player')).status).toBe(200);
    expect(present(again)).toEqual([]);
    await again.kill('SIGTERM');
    await until(() => guardsIn(again.folder).length === 0);
  });

  test('a second sidecar does not get the directory after all', async () => {
    const folder = makeFolder();
    const bin = pathWithoutFlock(folder);
    const sidecar = await Sidecar.start({ folder, environment: { PATH: bin } });
    const second = await Sidecar.start({ folder, environment: { PATH: bin, UPDATE_LOCK_SOCKET: join(folder, 'second.sock') } });
    addFlock(bin);
    const granted = async (each: Sidecar): Promise<boolean> => (await each.put('recorder', { wait: 0 })).status === 201;
    await until(async () => (await granted(sidecar)) || granted(second));
    const statuses = await Promise.all([sidecar, second].map(async (each) => (await each.put('another', { wait: 0 })).status));
    expect(statuses.sort()).toEqual([201, 503]);
  });
});

test('a file system that has no room for another file at a restart keeps nobody from releasing', async () => {
  const folder = makeFolder();
  const lock = join(folder, 'lock');
  mkdirSync(lock);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,nr_inodes=16', 'tmpfs', lock]);
  try {
    const sidecar = await Sidecar.start({ folder });
    await sidecar.put('recorder');
    await sidecar.kill();
    const fillers: string[] = [];
    expect(() => {
      for (;;) {
        const path = join(lock, `filler-${String(fillers.length)}`);
        writeFileSync(path, '');
        fillers.push(path);
      }
    }).toThrow(/ENOSPC/);
    const again = await sidecar.startAgain();
    expect((await again.send('GET', '/v1/leases/recorder')).status).toBe(200);
    for (const path of again.lockFiles) expect(holdsBackHost(path)).toBe(true);
    expect((await again.put('new', { wait: 0 })).body.code).toBe('cannot-lock');
    expect((await again.release('recorder')).status).toBe(200);
    expect(present(again)).toEqual([]);
    for (const path of fillers) unlinkSync(path);
    expect((await again.put('new')).status).toBe(201);
    await again.kill('SIGTERM');
    await endGuardsOf(again);
  } finally {
    execFileSync('umount', ['-l', lock]);
  }
});

describe('with fewer rights', () => {
  const without = (...names: string[]): string[] => {
    const list = names.map((name) => `-${name}`).join(',');
    return ['setpriv', `--bounding-set=${list}`, `--inh-caps=${list}`];
  };

  test('to look into other processes the lock is given back after two crashes', async () => {
    const wrapper = without('sys_ptrace');
    const first = await Sidecar.start({ wrapper });
    await first.put('recorder');
    await first.kill();
    const second = await Sidecar.start({ folder: first.folder, wrapper });
    expect((await second.release('recorder')).status).toBe(200);
    expect(present(second)).toEqual([]);
    expect((await second.put('player')).status).toBe(201);
    await second.kill();
    const third = await Sidecar.start({ folder: first.folder, wrapper });
    expect((await third.send('GET', '/v1/leases/player')).status).toBe(200);
    expect(await isFlocked(third)).toBe(true);
    expect((await third.release('player')).status).toBe(200);
    expect(present(third)).toEqual([]);
  });

  const WRAPPERS: [string, readonly string[]][] = [
    ['all rights', []],
    ['no right to change users', without('setuid')],
    ['no right to give files away', without('chown')],
    ['neither right', without('setuid', 'chown')],
  ];
  const CASES = WRAPPERS.flatMap(([before, first]) => WRAPPERS.filter(([after]) => after !== before).map(([after, second]) => [before, after, first, second] as const));

  test.each(CASES)('a sidecar with %s leaves what one with %s can go on with', async (_before, _after, first, second) => {
    const sidecar = await Sidecar.start({ wrapper: first });
    expect((await sidecar.put('recorder')).status).toBe(201);
    await sidecar.kill();
    const again = await Sidecar.start({ folder: sidecar.folder, wrapper: second });
    expect((await again.send('GET', '/v1/leases/recorder')).status).toBe(200);
    expect((await again.put('player')).status).toBe(201);
    for (const name of ['recorder', 'player']) expect((await again.release(name)).status).toBe(200);
    expect(present(again)).toEqual([]);
    expect((await again.put('recorder')).status).toBe(201);
    for (const path of again.lockFiles) expect(holdsBackHost(path)).toBe(true);
  });
});

test('a guard of a former process that ends is replaced without anybody asking', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  await sidecar.kill();
  const [inherited] = guardsIn(sidecar.folder);
  const again = await sidecar.startAgain();
  expect(guardsIn(again.folder)).toEqual([inherited]);
  process.kill(inherited ?? 0, 'SIGKILL');
  // The file is opened before its flock is taken.
  await until(() => guardsIn(again.folder).some((pid) => pid !== inherited) && again.lockFiles.every(holdsBackHost), 5000);
  expect(await isFlocked(again)).toBe(true);
});

test('a guard of our own that ends is replaced', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  const [own] = guardsIn(sidecar.folder);
  process.kill(own ?? 0, 'SIGKILL');
  await until(() => guardsIn(sidecar.folder).some((pid) => pid !== own), 5000);
  await sidecar.kill();
  for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
});

test('of two that are started at the same instant one serves, and the other says so and exits', async () => {
  const folder = makeFolder();
  const both = ['one', 'other'].map((name) => Sidecar.spawn({ folder, environment: { UPDATE_LOCK_SOCKET: join(folder, `${name}.sock`) } }));
  const ends = both.map(async (sidecar) => {
    try {
      await sidecar.logged('ready');
      return 'ready';
    } catch {
      return sidecar.exited();
    }
  });
  expect((await Promise.all(ends)).map(String).sort()).toEqual(['75', 'ready']);
});
