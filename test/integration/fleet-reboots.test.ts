import { existsSync } from 'node:fs';
import { FleetLockServer } from '../support/fleet-lock-server';
import { ASK, fleetOf, GIVE_BACK, ID, isInState, reboot, startFleetDevice } from '../support/fleet-device';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { backsOffForLong, posts } from '../support/updatable-device';
import { until } from '../support/until';

/** Reboots and power cuts of a device of a fleet. They run side by side, since most of their time is waiting. */

afterAll(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  FleetLockServer.cleanUp();
});

const OURS = '/tmp/balena-supervisor/services/1/main/updates.lock';
const OTHERS = '/tmp/balena-supervisor/services/1/kiosk/updates.lock';
const NAMES = { BALENA_APP_ID: '1', BALENA_SERVICE_NAME: 'main' };
const REBOOT_WAITS = 'reboot of the host OS pending';

const holdsLock = (sidecar: Sidecar): boolean => existsSync(sidecar.lockFiles[0] ?? '');

test.concurrent('a reboot of the host OS with a release: the reboot comes first, and the release follows in the same turn', async () => {
  const device = await startFleetDevice({ settings: NAMES, options: { version: '17.6.1' } });
  const { sidecar, supervisor, server } = device;
  await sidecar.put('app', { ttl: '1h' });
  supervisor.journal.waitsFor(OURS);
  await sidecar.logged(REBOOT_WAITS);
  await supervisor.pushRelease();
  await sidecar.logged('update pending');
  await backsOffForLong(device);
  await sidecar.release('app');
  await sidecar.logged('fleet: turn');
  expect([holdsLock(sidecar), posts(device)]).toEqual([false, []]);
  const after = await reboot(device);
  await isInState(after, 'settling');
  expect(holdsLock(after.sidecar)).toBe(false);
  // The Supervisor starts, too.
  await supervisor.overrideLock(false);
  await supervisor.history.next('applied');
  expect([...server.turns]).toEqual([ID]);
  await device.clock.jumpUntil(after.sidecar, 21, () => server.turns.size === 0);
  await isInState(after, 'idle');
  expect([server.count(ASK), server.count(GIVE_BACK), holdsLock(after.sidecar)]).toEqual([1, 1, true]);
}, 90_000);

test.concurrent("a reboot of the host OS that then waits for another service's lock keeps the turn, and the lock free", async () => {
  const device = await startFleetDevice({ settings: NAMES, options: { version: '16.12.0' } });
  const { sidecar, supervisor, server, clock } = device;
  await sidecar.put('app', { ttl: '1h' });
  supervisor.journal.waitsFor(OURS);
  await sidecar.logged(REBOOT_WAITS);
  await sidecar.release('app');
  await sidecar.logged('fleet: turn');
  supervisor.journal.waitsFor(OTHERS);
  await until(async () => String((await fleetOf(device)).detail).includes(OTHERS), 40_000);
  await clock.jumpUntil(sidecar, 21, async () => (await fleetOf(device)).state === 'unwell');
  expect([holdsLock(sidecar), [...server.turns], server.count(GIVE_BACK)]).toEqual([false, [ID], 0]);
  const after = await reboot(device);
  supervisor.journal.write('[safe_reboot][INFO] Rebooting now...', 11 * 60_000);
  await isInState(after, 'settling');
  await clock.jumpUntil(after.sidecar, 21, () => server.turns.size === 0);
  await isInState(after, 'idle');
}, 90_000);

test.concurrent('power is cut after the old container was removed: the device finishes the update without the server', async () => {
  const device = await startFleetDevice({ options: { version: '19.0.5', replacesForMs: 600_000 } });
  const { sidecar, supervisor, server, clock } = device;
  await supervisor.pushRelease();
  await supervisor.replacing();
  await sidecar.logged('fleet: settling');
  // It can be reached only through the service that is missing.
  server.manner = 'reset';
  const after = await reboot(device);
  expect((await after.sidecar.send('GET', '/v1/leases')).body.leases).toEqual([]);
  expect(await supervisor.device.options.locks.take(false)).toBe(true);
  await supervisor.settle();
  await isInState(after, 'returning');
  expect([holdsLock(after.sidecar), [...server.turns]]).toEqual([true, [ID]]);
  server.manner = 'usual';
  await clock.jumpUntil(after.sidecar, 5, () => server.turns.size === 0);
  await isInState(after, 'idle');
}, 90_000);
