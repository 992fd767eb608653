import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync, writeSync, openSync, closeSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { holdsBackHost, NOBODY } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until, untilPast } from '../support/until';

afterEach(() => Sidecar.cleanUp());

const asUser = (uid: number): string[] => ['setpriv', `--reuid=${String(uid)}`, `--regid=${String(uid)}`, '--clear-groups'];

/** Fills a file system until nothing more goes in. */
function fill(directory: string): void {
  const fd = openSync(join(directory, 'filler'), 'w');
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch {
    closeSync(fd);
  }
}

describe('a lock directory', () => {
  test('that is missing is made', async () => {
    const folder = makeFolder();
    const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_DIR: join(folder, 'not/there/yet') } });
    expect((await sidecar.put('recorder')).status).toBe(201);
  });

  test('that cannot be written to is told of, by requests and by readiness', async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'lock'), { mode: 0o755 });
    const socket = join('/tmp', `${folder.split('/').pop() ?? ''}.sock`);
    const sidecar = await Sidecar.start({ folder, wrapper: asUser(1000), environment: { UPDATE_LOCK_SOCKET: socket } });
    const refused = await sidecar.put('recorder');
    expect(refused.body).toMatchObject({ status: 503, code: 'cannot-lock' });
    expect(refused.body.detail).toContain(join(folder, 'lock'));
    const ready = await sidecar.send('GET', '/readyz');
    expect([ready.status, ready.body.ready]).toEqual([503, false]);
    expect((await sidecar.send('GET', '/healthz')).status).toBe(200);
    rmSync(join(folder, 'lock'), { recursive: true });
    execFileSync('install', ['-d', '-o', '1000', join(folder, 'lock')]);
    await until(async () => (await sidecar.put('recorder')).status === 201);
  });

  test('that cannot be made where it is to be is told of', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_DIR: '/proc/nowhere/lock' } });
    expect((await sidecar.put('recorder')).body).toMatchObject({ status: 503, code: 'cannot-lock', detail: expect.stringContaining('/proc/nowhere') });
  });

  test('that is read-only is told of', async () => {
    const folder = makeFolder();
    const lock = join(folder, 'lock');
    mkdirSync(lock);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs', lock]);
    try {
      const sidecar = await Sidecar.start({ folder });
      expect((await sidecar.put('recorder')).body.detail).toMatch(/read-only/);
      expect((await sidecar.send('GET', '/v1/lock')).body).toMatchObject({ state: 'unavailable', leases: [] });
      await sidecar.kill('SIGTERM');
    } finally {
      execFileSync('umount', [lock]);
    }
  });

  test('that is full refuses new leases but never a release or a renewal, and works again with room', async () => {
    const folder = makeFolder();
    const lock = join(folder, 'lock');
    mkdirSync(lock);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96k', 'tmpfs', lock]);
    try {
      const sidecar = await Sidecar.start({ folder });
      await sidecar.put('recorder', { ttl: 60 });
      await sidecar.put('player', { ttl: 60 });
      fill(lock);
      const refused = await sidecar.put('another');
      expect(refused.body).toMatchObject({ status: 503, code: 'cannot-lock' });
      expect(refused.body.detail).toMatch(/full/);
      expect((await sidecar.send('GET', '/readyz')).status).toBe(503);
      expect((await sidecar.put('recorder', { ttl: 600, reason: 'r'.repeat(256) })).status).toBe(200);
      expect((await sidecar.release('player')).status).toBe(200);

      await sidecar.kill();
      const again = await sidecar.startAgain();
      expect((await again.send('GET', '/v1/leases')).body.leases).toMatchObject([{ name: 'recorder', ttlSeconds: 600 }]);
      for (const path of again.lockFiles) expect(holdsBackHost(path)).toBe(true);
      expect((await again.release('recorder')).status).toBe(200);
      expect(again.lockFiles.filter((path) => existsSync(path))).toEqual([]);
      expect((await again.put('another')).status).toBe(503);
      rmSync(join(lock, 'filler'));
      expect((await again.put('another')).status).toBe(201);
      await again.release('another');
      await again.kill('SIGTERM');
    } finally {
      execFileSync('umount', ['-l', lock]);
    }
  });
});

test('without the command flock nothing is granted, and the log says what to install', async () => {
  const folder = makeFolder();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const command of ['sh', 'sleep']) symlinkSync(execFileSync('which', [command], { encoding: 'utf8' }).trim(), join(bin, command));
  const sidecar = await Sidecar.start({ folder, environment: { PATH: bin } });
  expect((await sidecar.put('recorder')).body.detail).toMatch(/flock \(util-linux or busybox\) is not installed/);
  expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(false);
});

test('a socket that cannot be made where it is to be is told of', async () => {
  const sidecar = Sidecar.spawn({ environment: { UPDATE_LOCK_SOCKET: '/proc/nowhere/socket' } });
  expect(await sidecar.exited()).toBe(69);
  expect(sidecar.output).toContain('the Unix socket /proc/nowhere/socket cannot be made: ENOENT');
  expect(sidecar.output).toMatch(/; UPDATE_LOCK_SOCKET can be another path, or off$/m);
});

test('a second sidecar on one directory says so, exits, and does no harm', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  const second = Sidecar.spawn({ folder: sidecar.folder });
  expect(await second.exited()).toBe(75);
  expect(second.output).toMatch(/another sidecar serves .*lock; two cannot share a lock directory \(UPDATE_LOCK_DIR\)$/m);
  expect((await sidecar.put('recorder')).status).toBe(200);
  for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
});

test('it refuses to run as the user whose files the Supervisor deletes', async () => {
  const sidecar = Sidecar.spawn({ wrapper: asUser(NOBODY) });
  expect(await sidecar.exited()).toBe(78);
  expect(sidecar.output).toMatch(/65534/);
  expect(existsSync(sidecar.directory)).toBe(false);
});

test('all bad settings are reported at once, before the lock is touched', async () => {
  const sidecar = Sidecar.spawn({ environment: { UPDATE_LOCK_PORT: 'eighty', UPDATE_LOCK_MAX_TTL: '-1', UPDATE_LOCK_API_TOKEN: 'se cret' } });
  expect(await sidecar.exited()).toBe(78);
  for (const name of ['UPDATE_LOCK_PORT: "eighty"', 'UPDATE_LOCK_MAX_TTL: "-1"', 'UPDATE_LOCK_API_TOKEN: ']) {
    expect(sidecar.output).toContain(name);
  }
  expect(sidecar.output).not.toContain('se cret');
  expect(existsSync(sidecar.directory)).toBe(false);
});

test('a port that is taken ends it with a clear word, and what it had recovered stays', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  await sidecar.kill();
  const second = Sidecar.spawn({ folder: sidecar.folder, environment: { UPDATE_LOCK_HOST: '127.0.0.1', UPDATE_LOCK_PORT: String(port) } });
  expect(await second.exited()).toBe(69);
  expect(second.output).toContain(`cannot listen on 127.0.0.1:${String(port)}`);
  for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
  taken.close();
  const third = await sidecar.startAgain();
  expect((await third.send('GET', '/v1/leases/recorder')).status).toBe(200);
});

describe('the Unix socket', () => {
  test('that a crash has left is taken over', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.kill();
    expect(existsSync(sidecar.socketPath)).toBe(true);
    const again = await sidecar.startAgain();
    expect((await again.send('GET', '/healthz')).status).toBe(200);
  });

  test('that a living process listens on is not', async () => {
    const sidecar = await Sidecar.start();
    const second = Sidecar.spawn({ environment: { UPDATE_LOCK_SOCKET: sidecar.socketPath } });
    expect(await second.exited()).toBe(69);
    expect(second.output).toContain('another process listens on it; UPDATE_LOCK_SOCKET can be another path, or off');
    expect((await sidecar.send('GET', '/healthz')).status).toBe(200);
  });

  test('is not made over a file that is something else', async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'precious'), 'data');
    const sidecar = Sidecar.spawn({ folder, environment: { UPDATE_LOCK_SOCKET: join(folder, 'precious') } });
    expect(await sidecar.exited()).toBe(69);
    expect(existsSync(join(folder, 'precious'))).toBe(true);
  });

  test('has the permissions that were asked for', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_SOCKET_MODE: '0660' } });
    expect(execFileSync('stat', ['-c', '%a', sidecar.socketPath], { encoding: 'utf8' }).trim()).toBe('660');
  });
});

test('a process that was stopped for longer than a lease lasts does not make it live again', async () => {
  const sidecar = await Sidecar.start();
  const { body: first } = await sidecar.put('recorder', { ttl: 1 });
  sidecar.process.kill('SIGSTOP');
  const renewal = sidecar.put('recorder', { ttl: 60 });
  await untilPast(first.expires);
  sidecar.process.kill('SIGCONT');
  const { status, body } = await renewal;
  expect(status).toBe(201);
  expect(body.since).not.toBe(first.since);
  await sidecar.logged('lease ended', { name: 'recorder', ended: 'expired' });
});

test('a wall clock that jumps by years moves what is shown, and no lease', async () => {
  const folder = makeFolder();
  const preload = join(folder, 'clock.cjs');
  writeFileSync(preload, "const now = Date.now; let ms = 0; Date.now = () => now() + ms; process.on('SIGUSR2', () => { ms += 40 * 365 * 86400e3; });");
  const sidecar = await Sidecar.start({ folder, environment: { NODE_OPTIONS: `--require=${preload}` } });
  const { body: before } = await sidecar.put('recorder', { ttl: 60 });
  sidecar.process.kill('SIGUSR2');
  await until(async () => {
    const { body } = await sidecar.send('GET', '/v1/leases/recorder');
    return Date.parse(body.expires as string) > Date.parse(before.expires as string) + 39 * 365 * 86400e3;
  });
  const { body } = await sidecar.send('GET', '/v1/leases/recorder');
  expect(body.remainingSeconds).toBeGreaterThan(50);
  expect(Date.parse(body.expires as string) - Date.parse(body.since as string)).toBe(60_000);
});
