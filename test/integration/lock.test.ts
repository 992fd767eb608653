import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { holdsBackHost, NOBODY, supervisorLocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

afterEach(() => Sidecar.cleanUp());

describe('the lock on disk', () => {
  test('is there for the Supervisor and the host from the answer on, and gone when the last lease is released', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder', { ttl: 60 });
    await sidecar.put('player', { ttl: 60 });
    for (const path of sidecar.lockFiles) expect(supervisorLocks(path)).toBe(false);
    for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);

    await sidecar.release('recorder');
    for (const path of sidecar.lockFiles) expect(supervisorLocks(path)).toBe(false);
    await sidecar.release('player');
    for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(false);
    for (const path of sidecar.lockFiles) expect(supervisorLocks(path)).toBe(true);
  });

  test('is given back when the last lease expires', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder', { ttl: 1 });
    await sidecar.logged('lease ended', { ended: 'expired', lock: 'released' });
    expect(sidecar.lockFiles.filter((path) => existsSync(path))).toEqual([]);
  });

  test('tells people who look at the file what it is, who holds it, where to ask and how to release a lease', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder', { reason: 'recording\u001b[2J' });
    await sidecar.put('player', { reason: 'playing' });
    for (const path of sidecar.lockFiles) {
      const content = readFileSync(path, 'utf8');
      expect(content).toMatch(/^update-lock: /);
      expect(content).toContain(`curl --unix-socket ${sidecar.socketPath} http://localhost/v1/lock\n`);
      expect(content).toContain(`curl -X DELETE --unix-socket ${sidecar.socketPath} http://localhost/v1/leases/NAME\n`);
      expect(content).toContain('recorder (recording\uFFFD[2J) since ');
      expect(content).toContain('player (playing) since ');
    }
    await sidecar.release('recorder');
    expect(readFileSync(sidecar.lockFiles[0] ?? '', 'utf8')).not.toContain('recorder');
  });

  test('names no socket that could not be made', async () => {
    const wrapper = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o ro none /run && exec "$@"', 'sh'];
    const environment = { UPDATE_LOCK_SOCKET: '', UPDATE_LOCK_HOST: '127.0.0.1', UPDATE_LOCK_PORT: '0', UPDATE_LOCK_HOLD_ON_START: '1h' };
    const sidecar = await Sidecar.start({ wrapper, environment });
    expect(sidecar.output).toContain('the Unix socket /run/update-lock/update-lock.sock cannot be made');
    const content = readFileSync(sidecar.lockFiles[0] ?? '', 'utf8');
    expect(content).toContain('curl http://update-lock:');
    expect(content).not.toContain('--unix-socket');
  });

  test('never belongs to the user whose files the Supervisor takes for its own', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder');
    for (const path of sidecar.lockFiles) expect(lstatSync(path).uid).not.toBe(NOBODY);
  });

  test('is also taken at the legacy path, with an anchor of its own, and not at all if that is taken', async () => {
    const folder = makeFolder();
    const path = join(folder, 'data/resin-updates.lock');
    const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_LEGACY_PATH: path } });
    await sidecar.put('recorder');
    expect(lstatSync(path).ino).not.toBe(lstatSync(sidecar.lockFiles[0] ?? '').ino);
    expect(holdsBackHost(path)).toBe(true);
    await sidecar.release('recorder');
    expect(existsSync(path)).toBe(false);

    await sidecar.logged('lease ended', { lock: 'released' });
    expect(supervisorLocks(sidecar.lockFiles[1] ?? '')).toBe(true);
    const refused = await sidecar.put('recorder', { wait: 0 });
    expect([refused.status, refused.body.code, refused.body.holder]).toEqual([423, 'updating', 'supervisor']);
    expect([path, sidecar.lockFiles[0] ?? ''].filter((each) => existsSync(each))).toEqual([]);
  });

  test('works for a sidecar that is not root', async () => {
    const folder = makeFolder();
    const sidecar = await Sidecar.start({
      folder,
      environment: { UPDATE_LOCK_DIR: join(folder, 'own/lock'), UPDATE_LOCK_SOCKET: join(folder, 'own/socket') },
      wrapper: ['sh', '-c', `install -d -o 1000 ${join(folder, 'own')} && exec setpriv --reuid=1000 --regid=1000 --clear-groups "$@"`, 'sh'],
    });
    expect((await sidecar.put('recorder')).status).toBe(201);
    for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
    await sidecar.release('recorder');
    await until(() => !sidecar.lockFiles.some((path) => existsSync(path)));
  });
});
