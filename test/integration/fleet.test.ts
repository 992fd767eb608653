import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventStream } from '../support/event-stream';
import { FleetLockServer } from '../support/fleet-lock-server';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import type { StandInOptions } from '../support/supervisor/options';
import { metric, startDevice, type UpdatableDevice } from '../support/updatable-device';
import { until } from '../support/until';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  FleetLockServer.cleanUp();
});

const ASK = '/v1/pre-reboot';
const GIVE_BACK = '/v1/steady-state';
const ID = '0123456789abcdef0123456789abcdef';

interface FleetDevice extends UpdatableDevice {
  readonly server: FleetLockServer;
}

async function start(settings: Readonly<Record<string, string>> = {}, options: Partial<StandInOptions> = {}, server?: FleetLockServer, folder?: string): Promise<FleetDevice> {
  const made = server ?? (await FleetLockServer.start());
  const fleet = { UPDATE_LOCK_FLEET_URL: made.url, BALENA_DEVICE_UUID: ID, UPDATE_LOCK_FLEET_SETTLE: '1s', UPDATE_LOCK_HOST_POLL: '300ms', ...settings };
  return { ...(await startDevice({ replacesForMs: 300, ...options }, fleet, folder)), server: made };
}

const stateOf = async ({ sidecar }: { sidecar: Sidecar }): Promise<string> => (await sidecar.send('GET', '/v1/fleet')).body.state as string;
const isInState = (device: FleetDevice, state: string): Promise<void> => until(async () => (await stateOf(device)) === state, 25_000);

describe.each(['16.12.0', '17.6.1', '19.0.5'])('with %s', (version) => {
  test('an update waits for its turn, comes in it, and the turn is given back when the device is well', async () => {
    const device = await start({}, { version });
    const { sidecar, supervisor, server } = device;
    const events = await EventStream.open(sidecar.target);
    expect((await sidecar.send('GET', '/v1/leases')).body.leases).toMatchObject([{ name: '@fleet', kind: 'builtin', reason: 'this device has no turn' }]);
    server.turns.add('another device');
    await sidecar.put('app');
    await supervisor.pushRelease();
    await sidecar.logged('update pending');
    expect(server.count(ASK)).toBe(0);
    // Asked last: the app still holds the lock.
    await sidecar.release('app');
    await sidecar.logged('fleet: asking');
    await until(async () => (await sidecar.send('GET', '/v1/lock')).body.summary.includes('waits for its turn: all slots of the group are taken'));
    expect((await sidecar.send('GET', '/v1/fleet')).body).toMatchObject({ state: 'asking', group: 'default', id: ID, server: 'reachable', detail: 'all slots of the group are taken' });
    server.turns.clear();
    await sidecar.logged('fleet: turn');
    await supervisor.history.next('applied');
    await sidecar.logged('fleet: idle');
    expect([...server.turns]).toEqual([]);
    expect(server.count(GIVE_BACK)).toBe(1);
    expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(true);
    await events.next(({ event, data }) => event === 'fleet' && data.state === 'turn');
    expect(await metric(sidecar, 'fleet_turns_total{result="granted"}')).toBe(1);
    expect(await metric(sidecar, 'fleet_state{state="idle"}')).toBe(1);
    events.close();
  });
});

test('the requests are those of FleetLock', async () => {
  const { sidecar, supervisor, server } = await start({ UPDATE_LOCK_FLEET_TOKEN: 's3cret', UPDATE_LOCK_FLEET_GROUP: 'canary', UPDATE_LOCK_FLEET_ID: 'kiosk-7' });
  await supervisor.pushRelease();
  await sidecar.logged('fleet: turn');
  const { method, path, headers, body } = server.requests[0] ?? { method: '', path: '', headers: {}, body: '' };
  expect([method, path, body]).toEqual(['POST', ASK, '{"client_params":{"id":"kiosk-7","group":"canary"}}']);
  expect(headers).toMatchObject({ 'fleet-lock-protocol': 'true', authorization: 'Bearer s3cret', 'update-lock-instance': expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
  expect(await sidecar.wholeOutput().catch(() => '')).not.toContain('s3cret');
});

test('a broken release keeps the turn, so that no other device gets it', async () => {
  const device = await start();
  const { supervisor, server } = device;
  supervisor.device.status = 'Restarting';
  await supervisor.pushRelease();
  await until(async () => (await device.sidecar.send('GET', '/v1/fleet')).body.detail === 'not running: main (Restarting)', 25_000);
  await isInState(device, 'unwell');
  expect([...server.turns]).toEqual([ID]);
  supervisor.device.status = null;
  await isInState(device, 'idle');
  expect([...server.turns]).toEqual([]);
}, 60_000);

test('the sidecar is killed within the turn: the lock stays free, the turn is remembered, and given back', async () => {
  const device = await start({}, { replacesForMs: 2000 });
  const { sidecar, supervisor, server, environment } = device;
  await supervisor.pushRelease();
  await supervisor.replacing();
  await sidecar.logged('fleet: settling');
  await sidecar.kill();
  // The server may be reachable only through a service that is missing.
  server.manner = 'reset';
  const again = await sidecar.startAgain(environment);
  await supervisor.history.next('applied');
  expect((await again.send('GET', '/v1/leases')).body.leases).toEqual([]);
  await until(async () => (await again.send('GET', '/v1/fleet')).body.state === 'returning', 25_000);
  expect([...server.turns]).toEqual([ID]);
  expect(existsSync(again.lockFiles[0] ?? '')).toBe(true);
}, 60_000);

test('killed while it asks: what may have been given is given back once nothing waits any more', async () => {
  const device = await start();
  const { sidecar, supervisor, server, environment } = device;
  server.manner = { status: 502, body: '<html>Bad Gateway</html>' };
  await supervisor.pushRelease();
  await until(() => server.count(ASK) > 0);
  server.turns.add(ID);
  await sidecar.kill();
  server.manner = 'usual';
  supervisor.device.pending = false;
  supervisor.device.target = supervisor.device.current;
  await supervisor.device.options.locks.release();
  const again = await sidecar.startAgain(environment);
  await until(() => server.turns.size === 0, 25_000);
  expect((await again.send('GET', '/v1/leases')).body.leases).toMatchObject([{ name: '@fleet' }]);
}, 60_000);

test('somebody allows updates: they go on without a turn', async () => {
  const { sidecar, supervisor, server } = await start({ UPDATE_LOCK_ADMIN_TOKEN: 'admin' });
  server.slots = 0;
  await supervisor.pushRelease();
  await sidecar.logged('fleet: asking');
  await sidecar.send('PUT', '/v1/override', { form: 'updates=allow&for=5m', headers: { Authorization: 'Bearer admin' } });
  await supervisor.history.next('applied');
  expect([...server.turns]).toEqual([]);
});

test('the deadline drains nobody before the turn, and then does', async () => {
  const { sidecar, supervisor, server } = await start({ UPDATE_LOCK_DEADLINE: '1s', UPDATE_LOCK_DEADLINE_GRACE: '1s' });
  server.slots = 0;
  await sidecar.put('app', { ttl: '1h' });
  await supervisor.pushRelease();
  await sidecar.logged("deadline passed: the apps are drained in this device's turn");
  await until(() => server.count(ASK) >= 1);
  expect((await sidecar.send('GET', '/v1/leases/app')).status).toBe(200);
  server.slots = 1;
  await sidecar.logged('fleet: turn');
  await sidecar.logged('draining: the leases of apps end');
  await supervisor.history.next('applied');
  expect((await sidecar.send('GET', '/v1/leases/app')).body.ended).toMatchObject({ reason: 'drained' });
});

const HELIOS_ALONE = { BALENA_APP_LOCK_PATH: '', BALENA_APP_UUID: 'f1ee7', BALENA_SUPERVISOR_ADDRESS: 'http://127.0.0.1:9', BALENA_SUPERVISOR_API_KEY: 'key' };

test.each([["without the Supervisor's API", {}], ['where Helios is alone', HELIOS_ALONE]])('%s the lock is not held, and /readyz is red', async (_, settings) => {
  const server = await FleetLockServer.start();
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_FLEET_URL: server.url, BALENA_DEVICE_UUID: ID, ...settings } });
  const { status, body } = await sidecar.send('GET', '/readyz');
  expect([status, body.checks.find(({ name }: { name: string }) => name === 'fleet').ok]).toEqual([503, false]);
  expect((await sidecar.send('GET', '/v1/leases')).body.leases).toEqual([]);
  expect((await sidecar.send('GET', '/v1/fleet')).body.state).toBe('off');
});

const checkOf = async (sidecar: Sidecar, name: string): Promise<unknown> => {
  const { status, body } = await sidecar.send('GET', '/readyz');
  return [status, (body.checks as { name: string; detail: string }[]).find((check) => check.name === name)?.detail];
};

test('with a Supervisor before 16.2 neither a turn nor a soak holds the lock, and /readyz is red', async () => {
  const { sidecar, supervisor, server } = await start({ UPDATE_LOCK_SOAK: '1d' }, { version: '16.1.9' });
  await until(async () => (await sidecar.send('GET', '/v1/leases')).body.leases.length === 0);
  const why = 'that needs Supervisor 16.2 or later, and this is 16.1.9';
  expect(await checkOf(sidecar, 'fleet')).toEqual([503, `Releases are given no turn: ${why}`]);
  expect(await checkOf(sidecar, 'soak')).toEqual([503, `Releases do not soak: ${why}.`]);
  await supervisor.pushRelease();
  await supervisor.history.next('applied');
  expect(server.requests).toEqual([]);
});

test('/readyz warns of everything that is missing', async () => {
  const { sidecar } = await start({ UPDATE_LOCK_HOST_POLL: 'off' });
  expect(await checkOf(sidecar, 'fleet')).toEqual([200, expect.stringMatching(/^With UPDATE_LOCK_HOST_POLL=off .*\. Without UPDATE_LOCK_FLEET_HEALTH /)]);
});

test('a server that cannot be reached is said once, and held for without limit', async () => {
  const { sidecar, supervisor, server } = await start();
  server.manner = 'reset';
  await supervisor.pushRelease();
  await sidecar.logged("fleet's server unreachable");
  expect((await sidecar.send('GET', '/v1/fleet')).body).toMatchObject({ state: 'asking', server: 'unreachable' });
  expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(true);
});

test('a forced update goes on without a turn, and is shown', async () => {
  const { sidecar, supervisor, server } = await start({ UPDATE_LOCK_ADMIN_TOKEN: 'admin' });
  server.slots = 0;
  await supervisor.pushRelease();
  await sidecar.logged('fleet: asking');
  await sidecar.send('POST', '/v1/update', { json: { force: true }, headers: { Authorization: 'Bearer admin' } });
  await supervisor.history.next('applied');
  await sidecar.logged('turn of the fleet', { result: 'without_turn' });
  expect([...server.turns]).toEqual([]);
  // It is held again after the update.
  await until(async () => (await sidecar.send('GET', '/v1/leases')).body.leases[0]?.name === '@fleet', 25_000);
}, 60_000);

test('a host reboot alone: asked, free within the turn, and kept free while the host goes down', async () => {
  const { sidecar, supervisor, server } = await start();
  supervisor.journal.waitsFor('/tmp/balena-supervisor/services/1/main/updates.lock');
  // Nobody else has the journal read soon while only @fleet holds the lock.
  void sidecar.send('GET', '/v1/update?wait=20s');
  await sidecar.logged('fleet: turn');
  expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(false);
  supervisor.journal.goesOn();
  await until(async () => (await sidecar.send('GET', '/v1/fleet')).body.detail === 'the host OS reboots', 25_000);
  expect([existsSync(sidecar.lockFiles[0] ?? ''), [...server.turns]]).toEqual([false, [ID]]);
}, 60_000);

test('instant updates are off: the Supervisor cannot be made to try now, and the update comes at its own time in the turn', async () => {
  const { sidecar, supervisor, server } = await start({}, { version: '17.6.1', instantUpdates: false });
  await supervisor.pushRelease();
  await supervisor.poll();
  await sidecar.logged('fleet: turn');
  await supervisor.history.next('applied');
  await sidecar.logged('fleet: idle');
  expect([...server.turns]).toEqual([]);
}, 60_000);

test('the lock of another service ends the attempts: the turn has not begun', async () => {
  const folder = makeFolder();
  const other = join(folder, 'other');
  mkdirSync(other, { mode: 0o777 });
  writeFileSync(join(other, 'updates.lock'), '');
  const device = await start({}, { lockDirectories: [join(folder, 'lock'), other] }, undefined, folder);
  const { sidecar, supervisor, server } = device;
  await supervisor.pushRelease();
  await sidecar.logged('fleet: turn');
  await supervisor.history.next('attempt', ({ result }) => result === 'locked', supervisor.history.all.length);
  expect(await stateOf(device)).toBe('turn');
  expect([...server.turns]).toEqual([ID]);
  rmSync(join(other, 'updates.lock'));
  await supervisor.history.next('applied');
  await sidecar.logged('fleet: idle');
  expect([...server.turns]).toEqual([]);
}, 60_000);
