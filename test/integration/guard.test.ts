import { existsSync, readFileSync, rmSync } from 'node:fs';
import { holdsBackHost } from '../support/readers';
import { guardsIn, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

/** The process that keeps the flock if the sidecar is killed. */

afterEach(() => Sidecar.cleanUp());

function statusOf(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${String(pid)}/status`, 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(':\t') as [string, string]));
}

function environmentOf(pid: number): string {
  return readFileSync(`/proc/${String(pid)}/environ`, 'utf8');
}

const LOCKS_USER = '48484\t48484\t48484\t48484';
const NO_CAPABILITIES = '0000000000000000';

test('it has no environment, and no rights but those of the user of the lock', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_ADMIN_TOKEN: 'a-secret-of-the-admin', BALENA_SUPERVISOR_API_KEY: 'a-secret-of-the-device' } });
  expect((await sidecar.put('recorder')).status).toBe(201);
  const guards = guardsIn(sidecar.folder);
  expect(guards).toEqual([expect.any(Number)]);
  const [guard = 0] = guards;
  expect(environmentOf(guard)).toBe('');
  expect(statusOf(guard)).toMatchObject({
    Uid: LOCKS_USER,
    Gid: LOCKS_USER,
    CapPrm: NO_CAPABILITIES,
    CapEff: NO_CAPABILITIES,
    CapAmb: NO_CAPABILITIES,
  });
  expect(statusOf(guard)['Groups']?.trim()).toBe('');
});

test('the sidecar itself has no groups beside its own', async () => {
  const sidecar = await Sidecar.start({ wrapper: ['setpriv', '--groups=4,27,65533'] });
  expect(statusOf(sidecar.process.pid ?? 0)['Groups']?.trim()).toBe('');
});

describe.each([
  ['with all rights', []],
  ['with the rights that the image asks for', ['setpriv', '--bounding-set=-all,+setuid,+setgid,+chown', '--inh-caps=-all']],
  ['without the right to change groups', ['setpriv', '--bounding-set=-all,+setuid,+chown', '--inh-caps=-all']],
])('%s', (_which, wrapper: readonly string[]) => {
  test('the next sidecar knows the guard again, and ends it when the lock is given back', async () => {
    const sidecar = await Sidecar.start({ wrapper });
    await sidecar.put('recorder');
    const [guard = 0] = guardsIn(sidecar.folder);
    expect(statusOf(guard)['Uid']).toBe(LOCKS_USER);
    await sidecar.kill();
    const again = await Sidecar.start({ folder: sidecar.folder, wrapper });
    expect((await again.send('GET', '/v1/lock')).body).toMatchObject({ state: 'held', flock: true });
    expect(guardsIn(again.folder)).toEqual([guard]);
    await again.release('recorder');
    await until(() => !existsSync(`/proc/${String(guard)}`));
    expect((await again.put('player')).status).toBe(201);
    for (const path of again.lockFiles) expect(holdsBackHost(path)).toBe(true);
    await again.release('player');
    await again.kill('SIGTERM');
    await until(() => guardsIn(again.folder).length === 0);
  });
});

test('it ends with the sidecar if the lock is free', async () => {
  const sidecar = await Sidecar.start();
  expect(guardsIn(sidecar.folder)).toHaveLength(1);
  await sidecar.kill();
  await until(() => guardsIn(sidecar.folder).length === 0);
});

test('it ends within a minute when the sidecar is dead and the files are gone', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  const [guard = 0] = guardsIn(sidecar.folder);
  await sidecar.kill();
  await until(() => isAsleep(guard));
  rmSync(sidecar.directory, { recursive: true });
  await until(() => !existsSync(`/proc/${String(guard)}`), 60_000);
}, 90_000);

test('it stays as long as the lock is on disk', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder', { ttl: 3600 });
  const [guard = 0] = guardsIn(sidecar.folder);
  await sidecar.kill();
  await until(() => isAsleep(guard));
  for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
});

/** Whether it has looked at the file, and sleeps until it looks again. The command with which it looks ends while we ask for it. */
function isAsleep(guard: number): boolean {
  const children = readFileSync(`/proc/${String(guard)}/task/${String(guard)}/children`, 'utf8').trim();
  try {
    return children !== '' && readFileSync(`/proc/${children}/cmdline`, 'utf8').startsWith('sleep\0');
  } catch {
    return false;
  }
}
