import { join } from 'node:path';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { posts, startDevice, type UpdatableDevice } from '../support/updatable-device';
import { until } from '../support/until';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

const HELIOS = { version: 'helios', isAlone: true, heliosRetryMs: 600_000, replacesForMs: 0 } as const;

/** As Helios starts a container: it does not say where the lock is. */
function start(): Promise<UpdatableDevice> {
  const folder = makeFolder();
  return startDevice(HELIOS, { BALENA_APP_UUID: 'b1a2', BALENA_APP_LOCK_PATH: '', UPDATE_LOCK_DIR: join(folder, 'lock') }, folder);
}

test('where Helios is alone an update begins with the last release, though nothing tells that it waits', async () => {
  const device = await start();
  const { sidecar, supervisor } = device;
  await sidecar.put('app');
  await supervisor.pushRelease();
  await supervisor.history.next('back-off');
  await until(async () => (await sidecar.send('GET', '/v1/update')).body.supervisor === 'reachable');
  expect((await sidecar.send('GET', '/v1/update')).body).toMatchObject({ pending: false, waiting: [], detail: 'Helios does not tell whether an update waits.' });
  expect((await sidecar.send('GET', '/v1/lock')).body.summary).toMatch(/; whether one waits is not known, since Helios does not tell\.$/);
  await sidecar.release('app');
  await supervisor.history.next('applied');
  expect(posts(device)).toEqual([{ force: false, cancel: true }]);
  await sidecar.logged('update requested', { result: 'unconfirmed' });
});

test('releases that follow each other there do not make the device ask the cloud each time', async () => {
  const device = await start();
  const { sidecar } = device;
  for (let count = 0; count < 5; count += 1) {
    await sidecar.put('app');
    await sidecar.release('app');
  }
  await until(() => posts(device).length > 0);
  expect(posts(device)).toHaveLength(1);
});

test('the log does not say that this is no device, and /readyz warns that the host does not look at the lock', async () => {
  const sidecar = await Sidecar.start({ environment: { BALENA_APP_UUID: 'b1a2', BALENA_APP_LOCK_PATH: '', RESIN_APP_LOCK_PATH: '' } });
  await sidecar.put('app');
  const { status, body } = await sidecar.send('GET', '/readyz');
  expect(status).toBe(200);
  expect(body.checks).toContainEqual({
    name: 'host-reboots', ok: true, warning: true,
    detail: 'Reboots for updates of the host OS are not held back: where Helios is alone, the host does not look at this lock',
  });
  await sidecar.logged('ready');
  expect((await sidecar.wholeLog()).filter(({ message }) => String(message).startsWith('not on a balena device'))).toEqual([]);
});
