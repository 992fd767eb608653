import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventStream } from '../support/event-stream';
import { FakeWallClock } from '../support/fake-wall-clock';
import { holdsBackHost, supervisorLocks, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';

afterEach(async () => {
  await Sidecar.cleanUp();
});

const ADMIN = { Authorization: 'Bearer admin-token' };

interface Device {
  readonly sidecar: Sidecar;
  readonly clock: FakeWallClock;
}

/** Updates are allowed from two to four. */
async function start(at = '2030-06-03 12:00:30', settings: Record<string, string> = {}, folder = makeFolder()): Promise<Device> {
  const clock = new FakeWallClock(folder, at);
  const environment = { UPDATE_LOCK_WINDOWS: '02:00-04:00', UPDATE_LOCK_ADMIN_TOKEN: 'admin-token', ...clock.environment, ...settings };
  return { sidecar: await Sidecar.start({ folder, environment }), clock };
}

/** As after a reboot: everything but the state directory is gone. */
async function startAfterReboot({ sidecar }: Device, at: string): Promise<Device> {
  await sidecar.kill();
  const folder = makeFolder();
  cpSync(join(sidecar.folder, 'state'), join(folder, 'state'), { recursive: true });
  return start(at, {}, folder);
}

const give = ({ sidecar }: Device, override: Record<string, unknown>) => sidecar.send('PUT', '/v1/override', { json: override, headers: ADMIN });

async function lockOf({ sidecar }: Device): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  return (await sidecar.send('GET', '/v1/lock')).body;
}

async function holdersOf(device: Device): Promise<string[]> {
  return (await lockOf(device)).leases.map(({ name }: { name: string }) => name);
}

test('an allow lets the window go, says so, and ends by the wall clock', async () => {
  const device = await start();
  const stream = await EventStream.open(device.sidecar.target);
  await stream.opened();
  const { status, body } = await give(device, { updates: 'allow', for: '2h', reason: 'the fix for the pump' });
  const allowed = { updates: 'allow', reason: 'the fix for the pump', since: '2030-06-03T12:00:30.000Z', until: '2030-06-03T14:00:30.000Z', inForce: true };
  expect([status, body]).toEqual([200, allowed]);
  expect((await device.sidecar.send('GET', '/v1/override')).body).toEqual(allowed);
  const lock = await lockOf(device);
  expect([lock.state, lock.override, lock.window.open]).toEqual(['free', allowed, false]);
  expect(lock.summary).toBe('Nothing holds back updates; updates are allowed by hand (the fix for the pump) until 14:00 UTC.');
  await stream.next(({ event, data }) => event === 'lock' && data.state === 'free' && data.override.updates === 'allow');
  device.clock.set('2030-06-03 14:00:29');
  expect((await lockOf(device)).state).toBe('free');
  device.clock.set('2030-06-03 14:00:30');
  expect(await holdersOf(device)).toEqual(['@window']);
  expect((await device.sidecar.send('GET', '/v1/override')).status).toBe(404);
});

test('an allow does not open the window: history says that it was given, and what opens and closes by the clock', async () => {
  const device = await start();
  await give(device, { updates: 'allow', for: '2h' });
  await device.sidecar.send('DELETE', '/v1/override', { headers: ADMIN });
  device.clock.set('2030-06-04 02:00:30');
  expect((await lockOf(device)).window.open).toBe(true);
  const { events } = (await device.sidecar.send('GET', '/v1/history')).body as { events: { event: string }[] };
  const told = events.map(({ event }) => event).filter((event) => /^(?:override|window)-/.test(event));
  expect(told.reverse()).toEqual(['override-given', 'override-ended', 'window-opened']);
});

test('it ends by itself, without anybody asking', async () => {
  const device = await start();
  const stream = await EventStream.open(device.sidecar.target);
  await stream.opened();
  await give(device, { updates: 'allow', for: '1s' });
  await stream.next(({ event, data }) => event === 'lock' && data.state === 'free');
  device.clock.set('2030-06-03 12:00:31');
  await stream.next(({ event, data }) => event === 'lock' && data.state === 'held' && data.override === null);
});

test('a hold holds the lock for everybody who looks, and says until when', async () => {
  const device = await start('2030-06-03 02:30:30');
  expect(await holdersOf(device)).toEqual([]);
  await give(device, { updates: 'hold', for: '1h', reason: 'stocktaking' });
  expect(device.sidecar.lockFiles.map((path) => [existsSync(path), holdsBackHost(path)])).toEqual([[true, true], [true, true]]);
  expect((await lockOf(device)).summary).toBe('Updates are held back by @override (stocktaking) since 02:30 UTC, until the override ends at 03:30 UTC.');
  device.clock.set('2030-06-03 03:30:30');
  expect(await holdersOf(device)).toEqual([]);
});

test('there is one at a time, which anybody may read and only an admin may give or end', async () => {
  const device = await start();
  const { sidecar } = device;
  expect((await sidecar.send('GET', '/v1/override')).body).toMatchObject({ code: 'not-found' });
  const wrong = { Authorization: 'Bearer wrong' };
  for (const headers of [{}, wrong]) {
    expect((await sidecar.send('PUT', '/v1/override', { json: { updates: 'hold', for: '1h' }, headers })).body).toMatchObject({ code: 'forbidden' });
    expect((await sidecar.send('DELETE', '/v1/override', { headers })).body).toMatchObject({ code: 'forbidden' });
  }
  await give(device, { updates: 'hold', for: '1h' });
  expect(await holdersOf(device)).toEqual(['@window', '@override']);
  await give(device, { updates: 'allow', for: '1h' });
  expect(await holdersOf(device)).toEqual([]);
  expect((await sidecar.send('DELETE', '/v1/override', { headers: ADMIN })).status).toBe(204);
  expect(await holdersOf(device)).toEqual(['@window']);
  expect((await sidecar.send('DELETE', '/v1/override', { headers: ADMIN })).status).toBe(204);
});

test.each([
  [{ updates: 'maybe', for: '1h' }, 'updates', '"maybe" is neither; allowed are allow and hold'],
  [{ for: '1h' }, 'updates', 'is missing; allowed are allow and hold'],
  [{ updates: 'hold' }, 'for', 'is missing; allowed is a duration from 1s to 30d, as a number of seconds, or 500ms, 90s, 5m, 1h30m, 1d'],
  [{ updates: 'hold', for: '31d' }, 'for', '"31d" is too long; allowed is a duration from 1s to 30d, as a number of seconds, or 500ms, 90s, 5m, 1h30m, 1d'],
  [{ updates: 'hold', for: '1h', reason: 'x'.repeat(257) }, 'reason', 'has 257 characters; up to 256 are allowed'],
])('%j is refused', async (override, field, message) => {
  const { status, body } = await give(await start(), override);
  expect([status, (body as { errors: unknown }).errors]).toEqual([422, [{ field, message }]]);
});

test('both outlive a restart, without a gap, and a reboot', async () => {
  const device = await start('2030-06-03 02:30:30');
  await give(device, { updates: 'hold', for: '1h', reason: 'stocktaking' });
  const { id } = (await lockOf(device)).leases[0];
  const inode = statSync(device.sidecar.lockFiles[0] ?? '').ino;
  await device.sidecar.kill();
  const again = await start('2030-06-03 02:40:30', {}, device.sidecar.folder);
  expect((await lockOf(again)).leases).toMatchObject([{ id, name: '@override', reason: 'stocktaking' }]);
  expect(statSync(again.sidecar.lockFiles[0] ?? '').ino).toBe(inode);
  const rebooted = await startAfterReboot(again, '2030-06-03 02:50:30');
  expect((await lockOf(rebooted)).override).toEqual({ updates: 'hold', reason: 'stocktaking', since: '2030-06-03T02:30:30.000Z', until: '2030-06-03T03:30:30.000Z', inForce: true });
  expect(await holdersOf(rebooted)).toEqual(['@override']);
  await give(rebooted, { updates: 'allow', for: '1h' });
  const rebootedAgain = await startAfterReboot(rebooted, '2030-06-03 03:00:00');
  expect((await lockOf(rebootedAgain)).override).toMatchObject({ updates: 'allow', inForce: true });
});

test('one that ended while the device was off is not in force again', async () => {
  const device = await start('2030-06-03 02:30:30');
  await give(device, { updates: 'hold', for: '1h' });
  const rebooted = await startAfterReboot(device, '2030-06-04 02:00:00');
  expect([(await lockOf(rebooted)).override, await holdersOf(rebooted)]).toEqual([null, []]);
  expect((await rebooted.sidecar.wholeLog()).filter(({ message }) => message === 'override ended')).toHaveLength(1);
});

test('while the clock is not set an allow is not in force, and a hold is', async () => {
  for (const [updates, inForce, holders] of [['allow', false, ['@window']], ['hold', true, ['@override']]] as const) {
    const device = await start('2030-06-03 02:30:30');
    await give(device, { updates, for: '1h' });
    const rebooted = await startAfterReboot(device, '1970-01-01 02:30:00');
    expect((await lockOf(rebooted)).override).toMatchObject({ updates, inForce });
    expect(await holdersOf(rebooted)).toEqual(expect.arrayContaining([...holders]));
    rebooted.clock.set('2030-06-03 04:30:00');
    expect([(await lockOf(rebooted)).override, await holdersOf(rebooted)]).toEqual([null, ['@window']]);
  }
});

test('one that is given while the clock is not set counts from when it is', async () => {
  const device = await start('1970-01-01 02:30:00');
  expect((await give(device, { updates: 'allow', for: '1h' })).body).toMatchObject({ inForce: false });
  device.clock.set('2030-06-03 12:00:00');
  expect((await lockOf(device)).override).toMatchObject({ since: '2030-06-03T12:00:00.000Z', until: '2030-06-03T13:00:00.000Z', inForce: true });
  const rebooted = await startAfterReboot(device, '2030-06-03 12:30:00');
  expect((await lockOf(rebooted)).override).toMatchObject({ until: '2030-06-03T13:00:00.000Z', inForce: true });
});

test('a hold that is given while an update is being applied takes the lock after it', async () => {
  const device = await start('2030-06-03 02:30:30');
  const { sidecar } = device;
  expect(sidecar.lockFiles.map((path) => supervisorLocks(path))).toEqual([true, true]);
  expect((await give(device, { updates: 'hold', for: '1h' })).status).toBe(200);
  expect((await lockOf(device)).state).toBe('updating');
  const stream = await EventStream.open(sidecar.target);
  await stream.opened();
  supervisorUnlocks(sidecar.lockFiles);
  await stream.next(({ event, data }) => event === 'lease' && data.name === '@override' && data.ended === undefined);
});

test('a file of a newer version is kept aside and said; without it there is no override', async () => {
  const device = await start();
  await give(device, { updates: 'allow', for: '1h' });
  await device.sidecar.kill();
  const file = join(device.sidecar.folder, 'state/override');
  const newer = readFileSync(file, 'utf8').replace('"version":1', '"version":2');
  writeFileSync(file, newer);
  const again = await start('2030-06-03 12:10:00', {}, device.sidecar.folder);
  expect(await holdersOf(again)).toEqual(['@window']);
  expect(readFileSync(`${file}.unreadable`, 'utf8')).toBe(newer);
  await again.sidecar.logged('operation failed', { operation: 'state' });
});

test('it is in history, log and metrics', async () => {
  const device = await start();
  const { sidecar } = device;
  const metric = async (): Promise<string[]> => (await sidecar.send('GET', '/metrics')).text.split('\n').filter((line) => line.startsWith('update_lock_override{'));
  expect(await metric()).toEqual(['update_lock_override{updates="allow"} 0', 'update_lock_override{updates="hold"} 0']);
  await give(device, { updates: 'hold', for: '90m', reason: 'stocktaking' });
  expect(await metric()).toEqual(['update_lock_override{updates="allow"} 0', 'update_lock_override{updates="hold"} 1']);
  await sidecar.send('DELETE', '/v1/override', { headers: ADMIN });
  await give(device, { updates: 'allow', for: '1s' });
  device.clock.set('2030-06-03 12:00:31');
  const { body } = await sidecar.send('GET', '/v1/history');
  const entries = (body as { events: { event: string; text: string; detail: string }[] }).events.filter(({ event }) => event.startsWith('override'));
  expect(entries.map(({ event, text, detail }) => [event, text, detail])).toEqual([
    ['override-ended', 'The override is over: updates are no longer allowed by hand', ''],
    ['override-given', 'Somebody on the Unix socket allows updates for 1s', ''],
    ['override-ended', 'Somebody on the Unix socket ended the override: updates are no longer held by hand', ''],
    ['override-given', 'Somebody on the Unix socket holds updates for 1h30m', 'stocktaking'],
  ]);
  await sidecar.logged('override given', { updates: 'hold', for: '1h30m', reason: 'stocktaking', peer: 'unix' });
  await sidecar.logged('override ended', { updates: 'allow' });
});
