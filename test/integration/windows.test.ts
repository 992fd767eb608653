import { existsSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { EventStream } from '../support/event-stream';
import { FakeWallClock } from '../support/fake-wall-clock';
import { ProbedServer } from '../support/probed-server';
import { holdsBackHost, supervisorLocks, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  ProbedServer.cleanUp();
});

/** Every day from two to four, in London, but not at New Year. */
const SETTINGS = { UPDATE_LOCK_WINDOWS: '02:00-04:00', UPDATE_LOCK_FREEZE: '2030-12-31..2031-01-01', UPDATE_LOCK_TIMEZONE: 'Europe/London' };

interface Device {
  readonly sidecar: Sidecar;
  readonly clock: FakeWallClock;
}

async function start(at: string, settings: Record<string, string> = {}): Promise<Device> {
  const folder = makeFolder();
  const clock = new FakeWallClock(folder, at);
  const sidecar = await Sidecar.start({ folder, environment: { ...SETTINGS, ...clock.environment, ...settings } });
  return { sidecar, clock };
}

async function lockOf({ sidecar }: Device): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  return (await sidecar.send('GET', '/v1/lock')).body;
}

test.each<[string, boolean, string | null, string, boolean]>([
  ['2030-06-03 00:59:59', false, '2030-06-03T01:00:00.000Z', '2030-06-03T03:00:00.000Z', false],
  ['2030-06-03 01:00:00', true, null, '2030-06-03T03:00:00.000Z', false],
  ['2030-06-03 02:59:59', true, null, '2030-06-03T03:00:00.000Z', false],
  ['2030-06-03 03:00:00', false, '2030-06-04T01:00:00.000Z', '2030-06-04T03:00:00.000Z', false],
  ['2030-12-30 02:30:00', true, null, '2030-12-30T04:00:00.000Z', false],
  ['2030-12-31 02:30:00', false, '2031-01-02T02:00:00.000Z', '2031-01-02T04:00:00.000Z', true],
  // The hour from one to two is skipped, and the window begins after it; in autumn it comes twice, but the window not.
  ['2030-03-31 00:59:59', false, '2030-03-31T01:00:00.000Z', '2030-03-31T03:00:00.000Z', false],
  ['2030-10-27 01:59:59', false, '2030-10-27T02:00:00.000Z', '2030-10-27T04:00:00.000Z', false],
])('at %s UTC it is open: %s', async (at, open, opens, closes, frozen) => {
  const device = await start(at);
  const lock = await lockOf(device);
  expect(lock.window).toEqual({ open, opens, closes, frozen, timezone: 'Europe/London' });
  expect(lock.leases.map(({ name }: { name: string }) => name)).toEqual(open ? [] : ['@window']);
  expect(device.sidecar.lockFiles.map((path) => [existsSync(path), holdsBackHost(path)])).toEqual([[!open, !open], [!open, !open]]);
  const { text } = await device.sidecar.send('GET', '/metrics');
  expect(text).toContain(`\nupdate_lock_window_open ${String(Number(open))}\n`);
});

test('the summary says when it opens', async () => {
  // In the middle of a minute: the clock stands, so what is shown of a slow start would be in the minute before.
  const device = await start('2030-06-03 12:00:30');
  expect((await lockOf(device)).summary).toBe(
    'Updates are held back by @window (no update window is open) since 13:00 BST, until the window opens at 2030-06-04 02:00 BST.',
  );
  const frozen = await start('2030-12-31 00:30:00');
  expect((await lockOf(frozen)).summary).toMatch(/^Updates are held back by @window \(updates are frozen today\)/);
});

test('it opens and closes when the time comes, and readers of events are told', async () => {
  const device = await start('2030-06-03 00:59:58', {});
  const { sidecar } = device;
  const stream = await EventStream.open(sidecar.target);
  await stream.opened();
  // The clock stands: only the timer of the sidecar runs.
  device.clock.set('2030-06-03 01:00:00');
  await stream.next(({ data }) => data.name === '@window' && data.ended?.reason === 'released');
  await stream.next(({ event, data }) => event === 'lock' && data.state === 'free' && data.window.open === true);
  device.clock.set('2030-06-03 03:00:00');
  expect((await lockOf(device)).state).toBe('held');
});

test('readers of events are told that it has turned, although the lock cannot be had', async () => {
  const device = await start('2030-06-03 02:59:58');
  const { sidecar } = device;
  expect(sidecar.lockFiles.map((path) => supervisorLocks(path))).toEqual([true, true]);
  const stream = await EventStream.open(sidecar.target);
  await stream.opened();
  await stream.next(({ event, data }) => event === 'lock' && data.state === 'updating' && data.window.open === true);
  device.clock.set('2030-06-03 03:00:00');
  await stream.next(({ event, data }) => event === 'lock' && data.state === 'updating' && data.window.open === false);
  await sidecar.logged('update window closed', { detail: 'no update window is open' });
});

test('a clock that is set is noticed when somebody asks', async () => {
  const device = await start('2030-06-03 12:00:00');
  for (const [at, state] of [['2030-06-04 01:30:00', 'free'], ['2030-01-01 12:00:00', 'held'], ['2041-06-04 01:30:00', 'free'], ['1970-01-01 01:30:00', 'held']]) {
    device.clock.set(at ?? '');
    expect([at, (await lockOf(device)).state]).toEqual([at, state]);
  }
});

test('a clock that is not set yet holds', async () => {
  const device = await start('1970-01-01 02:30:00');
  const lock = await lockOf(device);
  expect(lock.window).toMatchObject({ open: false, opens: null, closes: null });
  expect(lock.leases[0].reason).toBe('the clock of the device is not set yet');
  device.clock.set('2030-06-03 01:00:00');
  expect((await lockOf(device)).state).toBe('free');
});

test('why it is closed follows the clock as well', async () => {
  const device = await start('1970-01-01 02:30:00');
  for (const [at, reason] of [
    ['2030-06-03 12:00:00', 'no update window is open'],
    ['2030-12-31 12:00:00', 'updates are frozen today'],
    ['2031-01-02 00:00:00', 'no update window is open'],
    ['1970-01-01 02:30:00', 'the clock of the device is not set yet'],
  ] as const) {
    device.clock.set(at);
    const { leases, summary } = await lockOf(device);
    expect([at, leases[0].reason]).toEqual([at, reason]);
    expect(summary).toContain(reason);
  }
});

test('when it closes while an update is being applied, the end of that is waited for', async () => {
  const device = await start('2030-06-03 02:00:00');
  const { sidecar, clock } = device;
  expect(sidecar.lockFiles.map((path) => supervisorLocks(path))).toEqual([true, true]);
  clock.set('2030-06-03 12:00:00');
  expect((await lockOf(device)).state).toBe('updating');
  await sidecar.logged('request waits', { name: '@window' });
  supervisorUnlocks(sidecar.lockFiles);
  await sidecar.logged('lease acquired', { name: '@window' });
  expect((await lockOf(device)).state).toBe('held');
});

test('a lock that was taken away by force is taken again after the cooldown, while it is closed', async () => {
  const device = await start('2030-06-03 12:00:00', { UPDATE_LOCK_LOST_COOLDOWN: '1s' });
  unlinkSync(device.sidecar.lockFiles[0] ?? '');
  await device.sidecar.logged('lease ended', { name: '@window', ended: 'lost' });
  await until(async () => (await lockOf(device)).state === 'held');
});

describe('after a restart', () => {
  test('the lease goes on as it was, without a gap', async () => {
    const device = await start('2030-06-03 12:00:00', { UPDATE_LOCK_RESTART_GRACE: '0' });
    await device.sidecar.kill();
    const again = await device.sidecar.startAgain({ ...SETTINGS, ...device.clock.environment, UPDATE_LOCK_RESTART_GRACE: '0' });
    expect((await again.send('GET', '/v1/leases/@window')).body).toMatchObject({ expires: null, renewals: 0 });
    // Not its `since`: the wall clock stands still here, so all times shown move with the time that passes.
    const log = await again.wholeLog();
    expect(log.filter(({ message }) => String(message).startsWith('lease')).map(({ message }) => message)).toEqual(['lease recovered']);
  });

  test.each<[string, Record<string, string>, string]>([
    ['if it has opened meanwhile', SETTINGS, '2030-06-04 01:30:00'],
    ['if there are no windows any more', {}, '2030-06-03 12:00:00'],
  ])('it is given back at once %s', async (_, settings, at) => {
    const device = await start('2030-06-03 12:00:00');
    await device.sidecar.kill();
    device.clock.set(at);
    const again = await device.sidecar.startAgain({ ...settings, ...device.clock.environment });
    expect((await again.send('GET', '/v1/lock')).body.state).toBe('free');
  });
});

test('what is held for a probe that is gone is taken over without a gap', async () => {
  const folder = makeFolder();
  const clock = new FakeWallClock(folder, '2030-06-03 12:00:00');
  const server = await ProbedServer.start('busy');
  const probes = JSON.stringify([{ name: 'jenkins', url: server.url, holdWhen: '/busy/' }]);
  const sidecar = await Sidecar.start({ folder, environment: { ...clock.environment, UPDATE_LOCK_PROBES: probes } });
  await sidecar.logged('lease acquired', { name: '@probe-jenkins' });
  await sidecar.kill();
  const again = await sidecar.startAgain({ ...SETTINGS, ...clock.environment });
  expect(await again.logged('lease acquired', { name: '@window' })).toMatchObject({ lock: 'held' });
  expect(await again.logged('lease ended', { name: '@probe-jenkins' })).toMatchObject({ lock: 'held' });
});

test('the lock is taken before anything answers', async () => {
  const folder = makeFolder();
  const clock = new FakeWallClock(folder, '2030-06-03 12:00:00');
  const sidecar = await Sidecar.start({ folder, environment: { ...SETTINGS, ...clock.environment } });
  // By the kernel's clock, when the last name was made there: the lock's, and the socket's.
  expect(statSync(sidecar.directory).mtimeMs).toBeLessThan(statSync(folder).mtimeMs);
});

test('when it opens while an update waits, that starts at once; what was waited for it does not count', async () => {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], replacesForMs: 0 });
  const clock = new FakeWallClock(folder, '2030-06-03 12:00:00');
  const environment = { ...SETTINGS, ...supervisor.environment, UPDATE_LOCK_SUPERVISOR_POLL: '200ms', UPDATE_LOCK_DEADLINE: '1s' };
  const sidecar = await Sidecar.start({ folder, environment: { ...environment, ...clock.environment } });
  await sidecar.put('app');
  await supervisor.pushRelease();
  await sidecar.logged('update pending');
  const { update } = await lockOf({ sidecar, clock });
  expect(update).toMatchObject({ pending: true, blockedBy: ['@window', 'app'], deadline: null });
  await sidecar.release('app');
  const openedAtMs = performance.now();
  clock.set('2030-06-04 01:00:00');
  await lockOf({ sidecar, clock });
  await supervisor.history.next('applied');
  expect(supervisor.requests('/v1/update').map(({ atMs }) => atMs > openedAtMs)).toEqual([true]);
  expect((await sidecar.wholeLog()).filter(({ message }) => String(message).startsWith('draining'))).toEqual([]);
});

test('it closes although apps are being drained, and although some of them wait for the end of that', async () => {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  const clock = new FakeWallClock(folder, '2030-06-03 02:00:00');
  const deadline = { UPDATE_LOCK_SUPERVISOR_POLL: '200ms', UPDATE_LOCK_DEADLINE: '1s', UPDATE_LOCK_DEADLINE_GRACE: '1h' };
  const sidecar = await Sidecar.start({ folder, environment: { ...SETTINGS, ...supervisor.environment, ...deadline, ...clock.environment } });
  await sidecar.put('app');
  await supervisor.pushRelease();
  await sidecar.logged('draining: the leases of apps end');
  const late = sidecar.put('late', { wait: '1h' }).catch(() => undefined);
  await sidecar.logged('request waits', { name: 'late' });
  clock.set('2030-06-03 12:00:00');
  await lockOf({ sidecar, clock });
  await sidecar.logged('lease acquired', { name: '@window' });
  await sidecar.kill();
  await late;
});
