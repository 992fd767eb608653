import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NOBODY, supervisorLocks } from '../support/readers';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { ask, attempts, cleanUp, device, lockDirectory, start, startLocked, update } from '../support/supervisor/started';

/** Tests of what other tests rely on: that the stand-in takes the locks as the Supervisor does, and tries again as it does. */

afterEach(cleanUp);

describe('its locks', () => {
  test('are two files of nobody, held until the update has settled', async () => {
    const { supervisor, paths } = await start();
    await supervisor.pushRelease();
    await supervisor.replacing();
    for (const path of paths) {
      expect(lstatSync(path)).toMatchObject({ uid: NOBODY, mode: 0o100444, size: 1 });
      expect(supervisorLocks(path)).toBe(false);
    }
    await supervisor.settle();
    expect(paths.filter((path) => existsSync(path))).toEqual([]);
  });

  test.each([0, 1])('leave nothing behind if somebody has one of the files', async (which) => {
    const { supervisor, paths } = await start();
    writeFileSync(paths[which] ?? '', 'mine');
    await supervisor.pushRelease();
    await supervisor.history.next('back-off');
    expect(attempts(supervisor)).toEqual([['locked', false]]);
    expect(paths.map((path) => existsSync(path))).toEqual([which === 0, which === 1]);
    expect(readFileSync(paths[which] ?? '', 'utf8')).toBe('mine');
  });

  test('stay when it is killed in the middle of an update, with which it goes on when it starts again', async () => {
    const { supervisor, paths } = await start();
    await supervisor.pushRelease();
    await supervisor.replacing();
    const { address } = supervisor;
    await supervisor.kill();
    await expect(device(supervisor)).rejects.toThrow();
    expect(paths.map((path) => existsSync(path))).toEqual([true, true]);
    await supervisor.startAgain();
    expect(supervisor.address).toBe(address);
    await supervisor.settle();
    expect(supervisor.history.of('applied').length).toBe(1);
    expect(paths.filter((path) => existsSync(path))).toEqual([]);
  });

  test('come and go in one directory while another service of the app has its own lock', async () => {
    const [ours, other] = [lockDirectory(), lockDirectory()];
    writeFileSync(join(other, 'updates.lock'), '');
    const supervisor = await StandInSupervisor.start({ lockDirectories: [ours, other] });
    await supervisor.pushRelease();
    await supervisor.history.next('back-off');
    expect(existsSync(join(ours, 'updates.lock'))).toBe(false);
    expect(lstatSync(ours).mode & 0o7777).toBe(0o1777);
  });

  test('take in what nobody has left behind, and remove it', async () => {
    const { supervisor, paths } = await start();
    chmodSync(dirname(paths[0]), 0o1777);
    expect(supervisorLocks(paths[0])).toBe(true);
    await supervisor.pushRelease();
    await supervisor.replacing();
    expect(attempts(supervisor)).toEqual([['taken', false]]);
    await supervisor.settle();
    expect(paths.filter((path) => existsSync(path))).toEqual([]);
  });

  test('take the place of anybody\'s files, or empty directories, by force', async () => {
    const { supervisor, paths } = await start();
    writeFileSync(paths[0], 'mine');
    mkdirSync(paths[1]);
    await supervisor.pushRelease();
    await supervisor.history.next('back-off');
    expect(await update(supervisor, { force: true, cancel: true })).toBe(204);
    await supervisor.replacing();
    expect(paths.map((path) => lstatSync(path).uid)).toEqual([NOBODY, NOBODY]);
  });
});

describe('its back-off', () => {
  test('doubles from a second up to the poll interval, and begins anew with a new target', async () => {
    const { supervisor } = await startLocked({ pollIntervalMs: 5_000 });
    for (const tries of [2, 3, 4]) {
      await update(supervisor, { cancel: true });
      await supervisor.history.next('back-off', ({ failures }) => failures === tries);
    }
    const before = supervisor.history.all.length;
    await supervisor.pushRelease();
    await supervisor.history.next('back-off', () => true, before);
    expect(supervisor.history.of('back-off').map(({ delayMs }) => delayMs)).toEqual([1_000, 2_000, 4_000, 5_000, 1_000]);
  });

  test('ends in another attempt by itself', async () => {
    const { supervisor, paths } = await startLocked({ pollIntervalMs: 50 });
    rmSync(paths[0]);
    await supervisor.settle();
    expect(await device(supervisor)).toMatchObject({ update_pending: false, update_failed: false });
  });

  const IGNORED = [['locked', false], ['locked', false]];
  const RETRIED = [['locked', false], ['locked', false], ['locked', false]];
  const FORCED = [['locked', false], ['taken', true]];
  const TABLE: [string, boolean, boolean, unknown][] = ['16.12.0', '17.0.5', '17.1.0', '17.4.6', '17.5.0', '17.6.1', '19.x', 'helios'].flatMap((version) => {
    const isOld = /^(16|17\.[0-4])/.test(version);
    return [
      [version, false, false, isOld ? RETRIED : IGNORED],
      [version, false, true, RETRIED],
      [version, true, false, isOld ? FORCED : IGNORED],
      [version, true, true, FORCED],
    ] as [string, boolean, boolean, unknown][];
  });

  test.each(TABLE)('of %s, asked to update with force %p and cancel %p', async (version, force, cancel, expected) => {
    const { supervisor } = await startLocked({ version });
    const before = supervisor.history.all.length;
    await update(supervisor, { force, cancel });
    if (expected === FORCED) await supervisor.replacing();
    if (expected === RETRIED) await supervisor.history.next('back-off', () => true, before);
    if (expected !== FORCED) {
      // What comes next shows whether there was an attempt in between.
      const asked = supervisor.history.all.length;
      await update(supervisor, { force: false, cancel: true });
      await supervisor.history.next('back-off', () => true, asked);
    }
    expect(attempts(supervisor)).toEqual(expected);
  });

  test('until 17.1.0 is not cut short by a new target that a poll finds', async () => {
    const { supervisor } = await startLocked({ version: '16.12.0' });
    await supervisor.pushRelease({ notify: false });
    await supervisor.poll();
    expect(attempts(supervisor)).toEqual([['locked', false]]);
    const before = supervisor.history.all.length;
    await update(supervisor);
    await supervisor.history.next('back-off', () => true, before);
    expect(supervisor.history.of('back-off').map(({ failures }) => failures)).toEqual([1, 1]);
  });
});

describe('the dashboard\'s override', () => {
  test('takes the lock away at once, and later ones too', async () => {
    const { supervisor, paths } = await startLocked();
    await supervisor.overrideLock(true);
    await supervisor.settle();
    writeFileSync(paths[0], '');
    await supervisor.pushRelease();
    await supervisor.settle();
    expect(attempts(supervisor)).toEqual([['locked', false], ['taken', true], ['taken', true]]);
  });
});

describe('Helios', () => {
  test('takes one file, which only root can read, by a link', async () => {
    const { supervisor, paths } = await start({ version: 'helios' });
    await supervisor.pushRelease();
    await supervisor.replacing();
    expect(lstatSync(paths[0])).toMatchObject({ uid: 0, mode: 0o100600, nlink: 1 });
    expect(readFileSync(paths[0])).toEqual(Buffer.from([0x02, 0x63]));
    expect(existsSync(paths[1])).toBe(false);
    await supervisor.settle();
    expect(existsSync(paths[0])).toBe(false);
  });

  test('accepts with 202, without a key, and puts its file over another by force', async () => {
    const { supervisor, paths } = await startLocked({ version: 'helios' });
    const { ino } = lstatSync(paths[0]);
    const body = JSON.stringify({ force: true, cancel: true });
    expect((await ask(supervisor, '/v1/update', { method: 'POST', headers: {}, body })).status).toBe(202);
    await supervisor.replacing();
    expect(lstatSync(paths[0]).ino).not.toBe(ino);
    expect((await ask(supervisor, '/v1/device', { headers: {} })).status).toBe(401);
  });

  test('takes a directory for an error, and waits for the same time whenever it fails', async () => {
    const { supervisor, paths } = await start({ version: 'helios', heliosRetryMs: 20 });
    mkdirSync(paths[0]);
    await supervisor.pushRelease();
    await supervisor.history.next('back-off', ({ failures }) => failures === 3);
    expect(new Set(supervisor.history.of('back-off').map(({ delayMs }) => delayMs))).toEqual(new Set([20]));
    expect(new Set(attempts(supervisor).map(([result]) => result))).toEqual(new Set(['failed']));
    rmSync(paths[0], { recursive: true });
    await supervisor.settle();
  });

  test('in front of a Supervisor accepts with 202, and passes on what cancels', async () => {
    const { supervisor, paths } = await startLocked({ behindHelios: true });
    const asked = supervisor.history.all.length;
    expect(await update(supervisor, { force: true })).toBe(202);
    expect(await update(supervisor, { cancel: true })).toBe(202);
    await supervisor.history.next('back-off', () => true, asked);
    expect(attempts(supervisor)).toEqual([['locked', false], ['locked', false]]);
    rmSync(paths[0]);
    expect(await update(supervisor, { cancel: true })).toBe(202);
    await supervisor.replacing();
    expect(lstatSync(paths[1]).uid).toBe(NOBODY);
  });
});
