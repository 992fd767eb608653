import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Coordinator } from '../support/coordinator';
import { ASK, fleetOf, GIVE_BACK, ID, isInState, startFleetDevice } from '../support/fleet-device';
import { FleetLockServer } from '../support/fleet-lock-server';
import { ProbedServer } from '../support/probed-server';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { backsOffForLong, metric } from '../support/updatable-device';
import { until } from '../support/until';

/** What may go wrong in a turn. The tests run side by side, since most of their time is waiting. */

afterAll(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  await Coordinator.cleanUp();
  ProbedServer.cleanUp();
  FleetLockServer.cleanUp();
});

const holdsLock = (sidecar: Sidecar): boolean => existsSync(sidecar.lockFiles[0] ?? '');
/** The Supervisor tries nothing by itself, and cannot be made to. */
const TRIES_LATER = { version: '17.6.1', instantUpdates: false } as const;

test.concurrent('the 200 is lost: the turn is asked for again, and given back once', async () => {
  const { sidecar, supervisor, server, clock, ...rest } = await startFleetDevice({ options: { version: '16.12.0' } });
  server.manner = 'lose the answer';
  await supervisor.pushRelease();
  await until(() => server.turns.has(ID), 40_000);
  await sidecar.logged("fleet's server unreachable");
  expect(holdsLock(sidecar)).toBe(true);
  server.manner = 'usual';
  await clock.jumpUntil(sidecar, 2, async () => (await fleetOf({ sidecar, ...rest })).state !== 'asking');
  await supervisor.history.next('applied');
  await sidecar.logged('fleet: idle');
  expect([[...server.turns], server.count(GIVE_BACK)]).toEqual([[], 1]);
}, 90_000);

test.concurrent('the release is withdrawn after the 200: the turn is given back after the time to settle', async () => {
  const device = await startFleetDevice({ options: TRIES_LATER });
  const { sidecar, supervisor, server, clock } = device;
  server.slots = 0;
  await supervisor.pushRelease();
  await supervisor.poll();
  await backsOffForLong(device);
  server.slots = 1;
  await clock.jumpUntil(sidecar, 2, async () => (await fleetOf(device)).state === 'turn');
  Object.assign(supervisor.device, { pending: false, target: supervisor.device.current });
  await sidecar.logged('fleet: settling');
  await sidecar.logged('fleet: idle');
  expect([[...server.turns], supervisor.history.of('applied'), holdsLock(sidecar)]).toEqual([[], [], true]);
}, 90_000);

test.concurrent('group, id and URL are changed by the update itself: the turn is given back to the server that gave it', async () => {
  const { sidecar, supervisor, server, environment } = await startFleetDevice({ options: { version: '19.0.5', replacesForMs: 600_000 } });
  const other = await FleetLockServer.start();
  await supervisor.pushRelease();
  await supervisor.replacing();
  await sidecar.logged('fleet: settling');
  await sidecar.kill();
  const again = await sidecar.startAgain({ ...environment, UPDATE_LOCK_FLEET_URL: other.url, UPDATE_LOCK_FLEET_GROUP: 'other', UPDATE_LOCK_FLEET_ID: 'new' });
  await supervisor.settle();
  await until(() => server.turns.size === 0, 40_000);
  expect(server.requests.at(-1)).toMatchObject({ path: GIVE_BACK, body: `{"client_params":{"id":"${ID}","group":"default"}}` });
  await again.logged('fleet: idle');
  expect(other.count(ASK)).toBe(0);
  await supervisor.pushRelease();
  await until(() => other.turns.has('new'), 40_000);
  expect(server.turns.size).toBe(0);
}, 90_000);

test.concurrent('the cloud is away: nothing has to begin for twenty minutes, then the turn is given back', async () => {
  const device = await startFleetDevice({ options: { version: '19.0.5' } });
  const { sidecar, supervisor, server, clock } = device;
  server.slots = 0;
  await supervisor.pushRelease();
  await backsOffForLong(device);
  supervisor.goOffline();
  server.slots = 1;
  await clock.jumpUntil(sidecar, 0.2, async () => (await fleetOf(device)).state === 'turn');
  const polls = (): number => supervisor.requests('/v1/device').length;
  clock.jump(sidecar, 1.1);
  await until(() => supervisor.requests('/v2/device/tags').length > 0, 40_000);
  // It has had the answer to that before it asks anything twice.
  const before = polls();
  await until(() => polls() >= before + 2, 40_000);
  clock.jump(sidecar, 5);
  const since = polls();
  await until(() => polls() >= since + 2, 40_000);
  expect(await fleetOf(device)).toMatchObject({ state: 'turn' });
  expect([holdsLock(sidecar), [...server.turns]]).toEqual([false, [ID]]);
  await clock.jumpUntil(sidecar, 20, () => server.turns.size === 0);
  expect(holdsLock(sidecar)).toBe(true);
  expect(await metric(sidecar, 'fleet_turns_total{result="nothing_began"}')).toBe(1);
}, 90_000);

test.concurrent('a window that closes within the turn: nothing begins, and the turn is given back', async () => {
  const closesAfter = Math.ceil(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) / 60) + 30;
  const device = await startFleetDevice({ settings: { UPDATE_LOCK_WINDOWS: `boot+${String(closesAfter)}m` }, options: TRIES_LATER });
  const { sidecar, supervisor, server, clock } = device;
  server.slots = 0;
  await supervisor.pushRelease();
  await supervisor.poll();
  await backsOffForLong(device);
  server.slots = 1;
  await clock.jumpUntil(sidecar, 0.2, async () => (await fleetOf(device)).state === 'turn');
  await clock.jumpUntil(sidecar, 31, async () => (await sidecar.send('GET', '/v1/leases')).body.leases.some(({ name }: { name: string }) => name === '@window'));
  await clock.jumpUntil(sidecar, 20, () => server.turns.size === 0);
  await isInState(device, 'idle');
  expect(holdsLock(sidecar)).toBe(true);
  expect(await metric(sidecar, 'fleet_turns_total{result="nothing_began"}')).toBe(1);
}, 90_000);

test.concurrent('an update that takes the lock twice (requires-reboot) needs one turn', async () => {
  const { sidecar, supervisor, server } = await startFleetDevice({ options: { version: '16.12.0', replacesForMs: 600_000 } });
  const { locks } = supervisor.device.options;
  await supervisor.pushRelease();
  await supervisor.replacing();
  await sidecar.logged('fleet: settling');
  await locks.release();
  await sidecar.logged('update may need the lock again');
  expect([(await sidecar.send('GET', '/v1/leases')).body.leases, [...server.turns]]).toEqual([[], [ID]]);
  expect(await locks.take(false)).toBe(true);
  await supervisor.settle();
  await sidecar.logged('fleet: idle');
  expect([server.count(ASK), server.count(GIVE_BACK), [...server.turns]]).toEqual([1, 1, []]);
}, 90_000);

test.concurrent('the registry is out of reach: a turn in which nothing can begin is given back', async () => {
  const device = await startFleetDevice({ options: { version: '19.0.5' } });
  const { sidecar, supervisor, server, clock } = device;
  // It failed without having tried to take a lock, which it does not tell apart.
  Object.assign(supervisor.device, { pending: true, failed: true });
  await sidecar.logged('fleet: turn');
  await clock.jumpUntil(sidecar, 21, async () => (await metric(sidecar, 'fleet_turns_total{result="nothing_began"}')) >= 1);
  await isInState(device, 'idle');
  expect([[...server.turns], holdsLock(sidecar), supervisor.history.of('attempt')]).toEqual([[], true, []]);
}, 90_000);

test.concurrent('two cards with one id: the coordinator gives a turn to one of them', async () => {
  const coordinator = await Coordinator.start({ COORDINATOR_GROUPS: 'default=2' });
  const settings = { UPDATE_LOCK_FLEET_URL: coordinator.url.origin };
  const [one, other] = await Promise.all([startFleetDevice({ settings, options: { replacesForMs: 600_000 } }), startFleetDevice({ settings })]);
  await one.supervisor.pushRelease();
  await one.supervisor.replacing();
  await other.supervisor.pushRelease();
  await other.sidecar.logged('fleet: asking');
  await until(async () => String((await fleetOf(other)).detail).startsWith('another device has a turn under this id'), 40_000);
  expect([holdsLock(other.sidecar), await coordinator.holders()]).toEqual([true, [ID]]);
  await one.supervisor.settle();
  await one.sidecar.logged('fleet: idle');
  await other.clock.jumpUntil(other.sidecar, 6, () => other.supervisor.history.of('applied').length === 1);
}, 90_000);

test.concurrent('a token that the coordinator does not know is said, and updates wait', async () => {
  const coordinator = await Coordinator.start({ COORDINATOR_DEVICE_TOKEN: 'right' });
  const device = await startFleetDevice({ settings: { UPDATE_LOCK_FLEET_URL: coordinator.url.origin, UPDATE_LOCK_FLEET_TOKEN: 'wrong' } });
  const { sidecar, supervisor, environment } = device;
  await supervisor.pushRelease();
  await until(async () => String((await fleetOf(device)).detail).includes('token'), 40_000);
  expect(await fleetOf(device)).toMatchObject({ state: 'asking', server: 'reachable' });
  expect(holdsLock(sidecar)).toBe(true);
  await sidecar.kill();
  const again = await sidecar.startAgain({ ...environment, UPDATE_LOCK_FLEET_TOKEN: 'right' });
  await supervisor.history.next('applied');
  await again.logged('fleet: idle');
  expect(await coordinator.holders()).toEqual([]);
}, 90_000);

test.concurrent('the turn is kept until the health URL answers with 2xx', async () => {
  const health = await ProbedServer.start((_, response) => { response.writeHead(503).end(); });
  const device = await startFleetDevice({ settings: { UPDATE_LOCK_FLEET_HEALTH: health.url }, options: { version: '17.6.1' } });
  const { sidecar, supervisor, server } = device;
  await supervisor.pushRelease();
  await supervisor.history.next('applied');
  await until(async () => String((await fleetOf(device)).detail).startsWith('the health URL: '), 40_000);
  await isInState(device, 'unwell');
  expect([...server.turns]).toEqual([ID]);
  health.behaviour = 'well';
  await sidecar.logged('fleet: idle');
  expect([...server.turns]).toEqual([]);
}, 90_000);

test.concurrent('a server with a certificate of its own is trusted by UPDATE_LOCK_FLEET_CA', async () => {
  const folder = makeFolder();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=turns', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...what, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const server = await FleetLockServer.start(1, { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') });
  const { sidecar, supervisor, environment } = await startFleetDevice({ server, folder, options: { version: '16.12.0' } });
  await supervisor.pushRelease();
  await sidecar.logged("fleet's server unreachable", { detail: 'self-signed certificate' });
  expect(server.requests).toEqual([]);
  await sidecar.kill();
  const again = await sidecar.startAgain({ ...environment, UPDATE_LOCK_FLEET_CA: cert });
  await supervisor.history.next('applied');
  await again.logged('fleet: idle');
  expect([...server.turns]).toEqual([]);
}, 90_000);
