import { chmodSync, chownSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

/** A sidecar that runs as root, and a user who would like to have something done with root's rights. */

const STRANGER = 1000;
const SWAPPER = resolve(__dirname, '../support/swapper.cjs');

afterEach(() => Sidecar.cleanUp());

/** Something that is nobody's business. */
function makeVictim(folder: string): string {
  const victim = join(folder, 'victim');
  mkdirSync(victim, { mode: 0o700 });
  for (const name of ['anchor', 'journal', 'secret']) writeFileSync(join(victim, name), 'secret', { mode: 0o600 });
  return victim;
}

/** Modes and owners of a folder and of what is in it. */
function rightsOf(folder: string): string[] {
  return ['.', ...readdirSync(folder).sort()].map((name) => {
    const { mode, uid, gid } = lstatSync(join(folder, name));
    return `${name} ${(mode & 0o7777).toString(8)} ${String(uid)}:${String(gid)}`;
  });
}

function makeFor(uid: number, path: string): void {
  mkdirSync(path);
  chownSync(path, uid, uid);
}

function linkFor(uid: number, target: string, path: string): void {
  symlinkSync(target, path);
  lchownSync(path, uid, uid);
}

/** In a sidecar with this environment somebody else puts a link at a path, just after so many looks at it. */
function swapping(path: string, target: string, looks: number): Record<string, string> {
  return { NODE_OPTIONS: `--require ${SWAPPER}`, SWAP: JSON.stringify([[path, target, looks]]) };
}

/** That nothing is granted, and why. */
async function whyNot(sidecar: Sidecar): Promise<string> {
  const { status, body } = await sidecar.put('recorder', { wait: 0 });
  expect([status, body.code]).toEqual([503, 'cannot-lock']);
  expect((await sidecar.send('GET', '/readyz')).status).toBe(503);
  return body.detail as string;
}

describe('the lock directory', () => {
  test('is not used if it is a stranger\'s, which is said, and is left as it is', async () => {
    const folder = makeFolder();
    const lock = join(folder, 'lock');
    makeFor(STRANGER, lock);
    const before = rightsOf(lock);
    const sidecar = await Sidecar.start({ folder });
    expect(await whyNot(sidecar)).toContain(`${lock} belongs to uid 1000, who can change what is in it at any time; it must belong to root`);
    expect(rightsOf(lock)).toEqual(before);
    chownSync(lock, 0, 0);
    await until(async () => (await sidecar.put('recorder', { wait: 0 })).status === 201);
  });

  test('is not used if it is a link', async () => {
    const folder = makeFolder();
    const victim = makeVictim(folder);
    const before = rightsOf(victim);
    symlinkSync(victim, join(folder, 'lock'));
    const sidecar = await Sidecar.start({ folder });
    expect(await whyNot(sidecar)).toContain(`${join(folder, 'lock')} is a symbolic link; it must be a directory`);
    expect(rightsOf(victim)).toEqual(before);
  });

  test('is not used if a stranger\'s link leads to it', async () => {
    const folder = makeFolder();
    const victim = makeVictim(folder);
    mkdirSync(join(victim, 'lock'));
    const before = rightsOf(join(victim, 'lock'));
    linkFor(STRANGER, victim, join(folder, 'way'));
    const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_DIR: join(folder, 'way/lock') } });
    expect(await whyNot(sidecar)).toContain(`${join(folder, 'way')} is a symbolic link of uid 1000, and is not followed`);
    expect(rightsOf(join(victim, 'lock'))).toEqual(before);
  });

  test('is used if a link of root\'s leads to it', async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    symlinkSync('a', join(folder, 'relative'));
    symlinkSync(join(folder, 'relative/b/../b'), join(folder, 'absolute'));
    const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_DIR: join(folder, 'absolute/c/lock') } });
    expect((await sidecar.put('recorder')).status).toBe(201);
    expect(existsSync(join(folder, 'a/b/c/lock/updates.lock'))).toBe(true);
    expect((await sidecar.release('recorder')).status).toBe(200);
    expect((await sidecar.put('recorder')).status).toBe(201);
  });

  test('may be one of the user as whom the sidecar runs', async () => {
    const folder = makeFolder();
    const own = join(folder, 'own');
    makeFor(STRANGER, own);
    const sidecar = await Sidecar.start({
      folder,
      environment: { UPDATE_LOCK_DIR: join(own, 'lock'), UPDATE_LOCK_SOCKET: join(own, 'run/update-lock.sock') },
      wrapper: ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'],
    });
    expect((await sidecar.put('recorder')).status).toBe(201);
    await sidecar.kill();
    const again = await Sidecar.start({
      folder,
      environment: { UPDATE_LOCK_DIR: join(own, 'lock'), UPDATE_LOCK_SOCKET: join(own, 'run/update-lock.sock') },
      wrapper: ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'],
    });
    expect((await again.release('recorder')).status).toBe(200);
  });
});

describe('our folder in it', () => {
  test('is not used if it is a link', async () => {
    const folder = makeFolder();
    const victim = makeVictim(folder);
    const before = rightsOf(victim);
    const hidden = join(folder, 'lock/.update-lock');
    mkdirSync(join(folder, 'lock'));
    symlinkSync(victim, hidden);
    const sidecar = await Sidecar.start({ folder });
    await whyNot(sidecar);
    expect(rightsOf(victim)).toEqual(before);
  });

  test.each([1, 2, 3, 4])('gives away no file of another folder that is in its place after %d looks', async (looks) => {
    const folder = makeFolder();
    const victim = makeVictim(folder);
    const before = rightsOf(victim);
    const hidden = join(folder, 'lock/.update-lock');
    mkdirSync(hidden, { recursive: true });
    await Sidecar.start({ folder, environment: swapping(hidden, victim, looks) });
    expect(rightsOf(victim)).toEqual(before);
  });

  test('is not used if it is a stranger\'s', async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'lock'));
    makeFor(STRANGER, join(folder, 'lock/.update-lock'));
    const sidecar = await Sidecar.start({ folder });
    expect(await whyNot(sidecar)).toContain(`${join(folder, 'lock/.update-lock')} belongs to uid 1000`);
  });
});

describe('the socket', () => {
  const exitOf = async (folder: string, socket: string): Promise<[number | NodeJS.Signals, string]> => {
    const sidecar = Sidecar.spawn({ folder, environment: { UPDATE_LOCK_SOCKET: socket } });
    return [await sidecar.exited(), sidecar.output];
  };

  test('is not made in a stranger\'s directory', async () => {
    const folder = makeFolder();
    makeFor(STRANGER, join(folder, 'run'));
    const [status, output] = await exitOf(folder, join(folder, 'run/update-lock.sock'));
    expect(status).toBe(69);
    expect(output).toContain(`${join(folder, 'run')} belongs to uid 1000, who can change what is in it at any time; it must belong to root`);
    expect(readdirSync(join(folder, 'run'))).toEqual([]);
  });

  test('is not made where a link leads to', async () => {
    const folder = makeFolder();
    const victim = makeVictim(folder);
    symlinkSync(victim, join(folder, 'run'));
    const [status, output] = await exitOf(folder, join(folder, 'run/update-lock.sock'));
    expect(status).toBe(69);
    expect(output).toContain(`${join(folder, 'run')} is a symbolic link`);
    expect(readdirSync(victim)).not.toContain('update-lock.sock');
  });

  test.each([['0666', 0o666], ['0600', 0o600], ['0770', 0o770]])('has the mode %s from the start, and no other file gets it', async (mode, expected) => {
    const folder = makeFolder();
    const victim = makeVictim(folder);
    const secret = join(victim, 'secret');
    const before = rightsOf(victim);
    const run = join(folder, 'run');
    mkdirSync(run);
    chmodSync(run, 0o777);
    const socket = join(run, 'update-lock.sock');
    const environment = { UPDATE_LOCK_SOCKET: socket, UPDATE_LOCK_SOCKET_MODE: mode, ...swapping(socket, secret, 1) };
    const sidecar = await Sidecar.start({ folder, environment });
    expect((await sidecar.send('GET', '/healthz')).status).toBe(200);
    expect(rightsOf(victim)).toEqual(before);
    expect(statSync(socket).mode & 0o7777).toBe(expected);
    expect(statSync(join(folder, 'lock')).mode & 0o7777).toBe(0o1777);
  });
});
