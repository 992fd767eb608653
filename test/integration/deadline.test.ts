import { chownSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EventStream } from '../support/event-stream';
import { Hold } from '../support/hold';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

const SETTINGS = { UPDATE_LOCK_SUPERVISOR_POLL: '200ms', UPDATE_LOCK_DEADLINE: '3s', UPDATE_LOCK_DEADLINE_GRACE: '2s', UPDATE_LOCK_RESTART_GRACE: '1s' };

interface Device {
  readonly supervisor: StandInSupervisor;
  readonly sidecar: Sidecar;
  readonly environment: Record<string, string>;
}

/** With an update that waits for the lease `app`. */
async function startWaiting(settings: Record<string, string> = {}): Promise<Device> {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  const environment = { ...SETTINGS, ...supervisor.environment, ...settings };
  const sidecar = await Sidecar.start({ folder, environment });
  await sidecar.put('app', { ttl: '1h' });
  await supervisor.pushRelease();
  await sidecar.logged('update pending');
  return { supervisor, sidecar, environment };
}

function warnings(sidecar: Sidecar): unknown[] {
  return sidecar.lines().filter(({ message }) => message === 'update has been waiting for a long time').map(({ waited, holders }) => [waited, holders]);
}

test('an update that has waited for long enough drains the apps, after two warnings, and gets through', async () => {
  const { sidecar, supervisor } = await startWaiting();
  const hold = await Hold.open(sidecar.target, 'held');
  const stream = await EventStream.open(sidecar.target);
  await stream.opened();
  const { deadline, since, draining } = (await sidecar.send('GET', '/v1/update')).body;
  expect(draining).toBe(false);
  // The count begins when the update is known to wait: after it was first seen, and before this answer.
  const countedFromMs = Date.parse(deadline as string) - 3_000;
  expect(countedFromMs).toBeGreaterThanOrEqual(Date.parse(since as string) - 1);
  expect(countedFromMs).toBeLessThanOrEqual(Date.now() + 1);

  const line = await hold.line('draining');
  expect(line['endsInSeconds']).toBeGreaterThan(1);
  expect(line['endsInSeconds']).toBeLessThanOrEqual(2);
  expect(line['reason']).toBe('An update has waited for the apps for 3s, which is the deadline.');
  await sidecar.logged('draining: the leases of apps end');
  expect(warnings(sidecar)).toEqual([['1s', ['app', 'held']], ['2s', ['app', 'held']]]);
  await stream.next(({ event, data }) => event === 'update' && data.draining === true);
  // The first of the stream, and a warning at least, though that changes nothing.
  expect(stream.events.filter(({ event, data }) => event === 'update' && data.draining === false).length).toBeGreaterThan(1);
  // Neither new leases nor renewals; those that are live are still live.
  const refused = [await sidecar.put('app', { wait: 0 }), await sidecar.put('new', { wait: 0 }), await sidecar.send('POST', '/v1/leases/x/hold?wait=0')];
  expect(refused.map(({ status, body }) => [status, body.code])).toEqual([[423, 'draining'], [423, 'draining'], [423, 'draining']]);
  expect((await sidecar.send('GET', '/v1/lock')).body).toMatchObject({ state: 'held', summary: expect.stringMatching(/app and held must let go by (?:\S+ )?\d\d:\d\d UTC\.$/) });

  const ended = await hold.line('ended');
  expect(ended['lease'].ended.reason).toBe('drained');
  expect((await sidecar.send('GET', '/v1/leases/app')).body.ended.reason).toBe('drained');
  await supervisor.replacing();
  expect((await sidecar.send('GET', '/v1/lock')).body).toMatchObject({ state: 'updating', summary: expect.stringMatching(/^An update is being applied: the balena Supervisor/) });
  const waiting = sidecar.put('app', { wait: '1m' });
  await supervisor.settle();
  await sidecar.logged('draining is over: the update has come');
  expect((await waiting).status).toBe(201);
  expect((await sidecar.send('GET', '/v1/update')).body).toMatchObject({ draining: false, deadline: null, pending: false });
});

test('leases that end in the grace let the update through at once', async () => {
  const { sidecar, supervisor } = await startWaiting({ UPDATE_LOCK_DEADLINE: '1s', UPDATE_LOCK_DEADLINE_GRACE: '10m' });
  await sidecar.logged('draining: the leases of apps end');
  await sidecar.release('app');
  await supervisor.settle();
  await sidecar.logged('draining is over: the update has come');
});

test('what has been waited survives a restart, and so does a drain', async () => {
  const { sidecar, supervisor, environment } = await startWaiting();
  const { deadline } = (await sidecar.send('GET', '/v1/update')).body;
  await sidecar.logged('update has been waiting for a long time');
  await sidecar.kill();
  const second = await sidecar.startAgain(environment);
  expect((await second.send('GET', '/v1/update')).body.deadline).toBe(deadline);
  await second.logged('draining: the leases of apps end');
  // Never the first again; nor the second, if the start took so long that its time had passed.
  expect(['[]', '[["2s",["app"]]]']).toContain(JSON.stringify(warnings(second)));
  await second.kill();
  const third = await second.startAgain(environment);
  expect((await third.put('app', { wait: 0 })).body.code).toBe('draining');
  await third.logged('lease ended', { name: 'app', ended: 'drained' });
  await supervisor.settle();
  await third.logged('draining is over: the update has come');
});

test('letting go for a moment does not start it over', async () => {
  const { sidecar, supervisor } = await startWaiting({ UPDATE_LOCK_DEADLINE_GRACE: '0' });
  supervisor.goOffline();
  const { deadline } = (await sidecar.send('GET', '/v1/update')).body;
  await sidecar.release('app');
  await sidecar.put('app');
  await sidecar.logged('lease ended', { name: 'app', ended: 'drained' });
  expect(Date.parse(deadline as string)).toBeLessThanOrEqual(Date.now());
});

test('an update that goes away calls a drain off', async () => {
  const { sidecar, supervisor } = await startWaiting({ UPDATE_LOCK_DEADLINE: '1s', UPDATE_LOCK_DEADLINE_GRACE: '10m' });
  await sidecar.logged('draining: the leases of apps end');
  const { draining, drainEnds } = (await sidecar.send('GET', '/v1/update')).body;
  expect(draining).toBe(true);
  const minutesLeft = (Date.parse(drainEnds as string) - Date.now()) / 60_000;
  expect(minutesLeft).toBeGreaterThan(8);
  expect(minutesLeft).toBeLessThanOrEqual(10.01);
  // As if the release had been taken back: the next attempt finds nothing to do.
  supervisor.device.setTarget(supervisor.device.current);
  await sidecar.logged('draining is over: the update has come');
  expect((await sidecar.send('GET', '/v1/update')).body.drainEnds).toBeNull();
  expect((await sidecar.put('app')).status).toBe(200);
});

test('who waits for an update is told its deadline', async () => {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  const sidecar = await Sidecar.start({ folder, environment: { ...SETTINGS, ...supervisor.environment } });
  await sidecar.put('app', { ttl: '1h' });
  const answer = sidecar.send('GET', '/v1/update?wait=20s');
  await supervisor.pushRelease();
  const { body } = await answer;
  expect(body).toMatchObject({ pending: true, blockedBy: ['app'], deadline: expect.any(String) });
});

test('a drain goes on where the lock directory can be opened only some time after a restart', async () => {
  const { sidecar, environment } = await startWaiting({ UPDATE_LOCK_DEADLINE_GRACE: '10m' });
  await sidecar.logged('draining: the leases of apps end');
  await sidecar.kill();
  const { directory } = sidecar;
  renameSync(directory, `${directory}.away`);
  mkdirSync(directory);
  chownSync(directory, 1000, 1000);
  const again = await sidecar.startAgain(environment);
  expect((await again.send('GET', '/v1/lock')).body.state).toBe('unavailable');
  rmSync(directory, { recursive: true });
  renameSync(`${directory}.away`, directory);
  await again.logged('lease recovered', { name: 'app' });
  expect((await again.put('new', { wait: 0 })).body.code).toBe('draining');
  expect((await again.send('GET', '/v1/update')).body).toMatchObject({ draining: true });
});
