import { request } from 'node:http';
import { Hold } from '../support/hold';
import { Metronome } from '../support/metronome';
import { ProbedServer } from '../support/probed-server';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';
import { backsOffForLong, metric, posts, startDevice, startWaiting } from '../support/updatable-device';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  ProbedServer.cleanUp();
});

describe.each(['16.12.0', '17.2.0', '17.6.1', '19.0.5', 'helios'])('with %s', (version) => {
  test('an update that waits is told of, and starts when the last lease ends', async () => {
    const device = await startDevice({ version, replacesForMs: 0, heliosRetryMs: 600_000 });
    const { sidecar, supervisor } = device;
    await sidecar.put('first');
    const hold = await Hold.open(sidecar.target, 'second');
    await hold.line('held');
    await supervisor.pushRelease();
    const readings = (): number => supervisor.requests('/v1/device').length;
    const before = readings();
    const { update } = await hold.line('update');
    expect(update).toMatchObject({ supervisor: 'reachable', pending: true, waiting: ['release'], downloading: false, blockedBy: ['first', 'second'] });
    // One may have been under way, and two are needed where the first does not say that the update has failed.
    expect(readings() - before).toBeLessThanOrEqual(3);
    expect((await sidecar.send('GET', '/v1/update')).body).toEqual(update);
    expect((await sidecar.send('GET', '/v1/lock')).body.summary).toMatch(/^An update has been waiting since .*; it is held back by first and second/);
    expect([await metric(device.sidecar, 'update_pending'), await metric(device.sidecar, 'supervisor_up')]).toEqual([1, 1]);
    await backsOffForLong(device);

    await sidecar.release('first');
    expect(posts(device)).toEqual([]);
    hold.close();
    await supervisor.history.next('applied');
    expect(posts(device)).toEqual([{ force: false, cancel: true }]);
    await sidecar.logged('update no longer pending');
    expect((await sidecar.send('GET', '/v1/update')).body).toMatchObject({ pending: false, since: null, blockedBy: [] });
    expect(await metric(device.sidecar, 'update_requests_total{kind="retry",result="accepted"}')).toBe(1);
  });
});

test('nothing is asked while nothing is held', async () => {
  const metronome = await Metronome.start();
  const { sidecar, supervisor } = await startDevice({}, { UPDATE_LOCK_SUPERVISOR_POLL: '100ms', ...metronome.environment });
  const asked = (): number => supervisor.history.of('arrival').length;
  await sidecar.send('GET', '/v1/lock');
  await sidecar.send('GET', '/metrics');
  await metronome.beats(5);
  expect(asked()).toBe(0);
  await sidecar.put('app');
  await until(() => asked() >= 3);
  await sidecar.release('app');
  // The look after the release is the last.
  await metronome.untilUnchanged(asked, 5);
  const untilThen = asked();
  await metronome.beats(10);
  expect(asked()).toBe(untilThen);
  expect(posts({ supervisor })).toEqual([]);
});

test('while the lock is held, the Supervisor is asked at the interval, never twice at once', async () => {
  const { sidecar, supervisor } = await startDevice({}, { UPDATE_LOCK_SUPERVISOR_POLL: '200ms' });
  supervisor.answerWith({ delayMs: 300 });
  await sidecar.put('app');
  await until(() => supervisor.requests('/v1/device').length >= 4);
  const times = supervisor.requests('/v1/device').map(({ atMs }) => atMs);
  for (const [index, atMs] of times.slice(1).entries()) expect(atMs - (times[index] ?? 0)).toBeGreaterThan(300);
});

test('an update that the Supervisor merely looks for does not wait', async () => {
  const { sidecar, supervisor } = await startDevice({}, { UPDATE_LOCK_SUPERVISOR_POLL: '3s' });
  await sidecar.put('app');
  const done = supervisor.check();
  await until(() => supervisor.requests('/v1/device').length === 1);
  done();
  // It asks once at a time: with the third question the second answer is known.
  await until(() => supervisor.requests('/v1/device').length === 3);
  expect((await sidecar.send('GET', '/v1/lock')).body.update).toMatchObject({ pending: false });
  expect((await sidecar.wholeLog()).filter(({ message }) => message === 'update pending')).toEqual([]);
});

test.each(['image', 'older image'] as const)('while an %s is downloaded, the update does not wait, and the download goes on at a release', async (change) => {
  const device = await startDevice({}, { UPDATE_LOCK_SUPERVISOR_POLL: '200ms' });
  const { sidecar, supervisor } = device;
  await sidecar.put('app');
  await supervisor.pushRelease({ change, holdDownload: true });
  await until(async () => (await sidecar.send('GET', '/v1/lock')).body.update?.downloading === true);
  const count = supervisor.requests('/v1/device').length;
  await until(() => supervisor.requests('/v1/device').length > count + 3);
  expect((await sidecar.send('GET', '/v1/update')).body).toMatchObject({ pending: false, downloading: true });
  await sidecar.release('app');
  await sidecar.put('app');
  await until(() => supervisor.requests('/v1/device').length > count + 6);
  expect(posts(device)).toEqual([]);
  supervisor.device.finishDownload();
  await sidecar.logged('update pending');
  expect(supervisor.history.of('download').map(({ state }) => state)).toEqual(['started', 'finished']);
});

test('nothing is asked for while it cannot be told whether something is downloaded', async () => {
  const device = await startWaiting({}, { UPDATE_LOCK_SUPERVISOR_POLL: '100ms' });
  await device.supervisor.pushRelease({ holdDownload: true });
  device.supervisor.answerWith(500, '/v2/state/status');
  await device.sidecar.logged('Supervisor unreachable');
  await device.sidecar.release('app');
  const { length } = device.supervisor.requests('/v2/state/status');
  await until(() => device.supervisor.requests('/v2/state/status').length > length);
  device.supervisor.answerWith(undefined, '/v2/state/status');
  device.supervisor.device.finishDownload();
  await device.supervisor.replacing();
  expect(device.supervisor.requests('/v1/update').filter(({ whileDownloading }) => whileDownloading)).toEqual([]);
});

test('a newer release that is downloaded while one waits is not aborted at a release', async () => {
  const device = await startWaiting({}, { UPDATE_LOCK_SUPERVISOR_POLL: '100ms' });
  await device.supervisor.pushRelease({ holdDownload: true });
  await until(async () => (await device.sidecar.send('GET', '/v1/lock')).body.update.downloading === true);
  await device.sidecar.release('app');
  await device.sidecar.put('app');
  device.supervisor.device.finishDownload();
  await until(async () => (await device.sidecar.send('GET', '/v1/lock')).body.update.pending === true);
  expect(device.supervisor.history.of('download').map(({ state }) => state)).toEqual(['started', 'finished', 'started', 'finished']);
  expect(device.supervisor.requests('/v1/update').filter(({ whileDownloading }) => whileDownloading)).toEqual([]);
});

test('the Supervisor is asked within 100 ms of the last release, beyond its own answers', async () => {
  const device = await startWaiting();
  await backsOffForLong(device);
  const releasedAtMs = performance.now();
  await device.sidecar.release('app');
  const { atMs } = await device.supervisor.history.next('request', ({ path }) => path === '/v1/update');
  // Generous, since this machine may be busy with other tests; what it takes is in the documentation.
  expect(atMs - releasedAtMs).toBeLessThan(1_000);
});

test('leases that follow each other quickly do not each cost a request', async () => {
  const device = await startWaiting({ instantUpdates: false });
  await backsOffForLong(device);
  const startedAtMs = performance.now();
  for (let index = 0; index < 10; index += 1) {
    await device.sidecar.release('app');
    await device.sidecar.put('app');
  }
  await device.sidecar.release('app');
  await until(() => posts(device).length > 0);
  const seconds = (performance.now() - startedAtMs) / 1000;
  expect(posts(device).length).toBeLessThanOrEqual(1 + Math.ceil(seconds));
});

test('nothing is asked for if a lease was taken meanwhile', async () => {
  const device = await startWaiting();
  await backsOffForLong(device);
  device.supervisor.answerWith({ delayMs: 500 }, '/v1/device');
  await device.sidecar.release('app');
  await device.sidecar.put('next');
  const { length } = device.supervisor.requests('/v1/device');
  await until(() => device.supervisor.requests('/v1/device').length > length + 1);
  expect(posts(device)).toEqual([]);
});

test('a request that fails is made again', async () => {
  const device = await startWaiting({ replacesForMs: 0 });
  await backsOffForLong(device);
  device.supervisor.answerWith(503, '/v1/update');
  await device.sidecar.release('app');
  await device.sidecar.logged('update requested', { kind: 'retry', result: 'failed' });
  device.supervisor.answerWith(undefined, '/v1/update');
  await device.supervisor.history.next('applied');
  await device.sidecar.logged('update requested', { kind: 'retry', result: 'accepted' });
});

test('a Supervisor whose instant updates are off says 202, which is found to mean "ignored"', async () => {
  const device = await startWaiting({ instantUpdates: false, version: '18.0.0' });
  // For longer than it takes to find out.
  await backsOffForLong(device);
  await device.sidecar.release('app');
  await device.sidecar.logged('update requested', { kind: 'retry', result: 'ignored' });
  expect(await metric(device.sidecar, 'update_requests_total{kind="retry",result="ignored"}')).toBe(1);
});

describe('GET /v1/update', () => {
  test('says what is not configured', async () => {
    const sidecar = await Sidecar.start();
    const startedAtMs = performance.now();
    let isOver = false;
    const waiting = sidecar.send('GET', '/v1/update?wait=3s').finally(() => { isOver = true; });
    const { body } = await sidecar.send('GET', '/v1/update');
    expect(isOver).toBe(false);
    expect((await waiting).body).toEqual(body);
    expect(performance.now() - startedAtMs).toBeGreaterThan(2990);
    expect(body).toEqual({ supervisor: 'not-configured', pending: false, waiting: [], downloaded: false, downloading: false, failed: false, since: null, blockedBy: [], deadline: null, draining: false, drainEnds: null, detail: null });
    expect((await sidecar.send('GET', '/v1/lock')).body.update).toBeNull();
  });

  test('waits for what is never known, until the sidecar stops', async () => {
    const sidecar = await Sidecar.start();
    const waiting = sidecar.send('GET', '/v1/update?wait=1h');
    await sidecar.send('GET', '/healthz');
    expect(await sidecar.kill('SIGTERM')).toBe(0);
    expect((await waiting).body.supervisor).toBe('not-configured');
  });

  test('waits for an update, though nothing is held', async () => {
    const { sidecar, supervisor } = await startDevice({ instantUpdates: true }, { UPDATE_LOCK_SUPERVISOR_POLL: '100ms' });
    const waiting = sidecar.send('GET', '/v1/update?wait=1h');
    await until(() => supervisor.requests('/v1/device').length >= 3);
    await supervisor.pushRelease();
    expect((await waiting).body).toMatchObject({ pending: true, blockedBy: [] });
  });

  test('answers at the end of the wait, and forgets who has gone', async () => {
    const metronome = await Metronome.start();
    const { sidecar, supervisor } = await startDevice({}, { UPDATE_LOCK_SUPERVISOR_POLL: '100ms', ...metronome.environment });
    expect((await sidecar.send('GET', '/v1/update?wait=300ms')).body).toMatchObject({ pending: false, supervisor: 'reachable' });
    await metronome.untilUnchanged(() => supervisor.history.of('arrival').length, 5);
  });
});

test('who waits for an update and goes away is forgotten, and nothing is asked for them', async () => {
  const metronome = await Metronome.start();
  const { sidecar, supervisor } = await startDevice({}, { UPDATE_LOCK_SUPERVISOR_POLL: '100ms', ...metronome.environment });
  const waiting = Array.from({ length: 50 }, () => request({ ...sidecar.target, path: '/v1/update?wait=1h', agent: false }).on('error', () => undefined));
  for (const each of waiting) each.end();
  await until(() => supervisor.requests('/v1/device').length >= 5);
  for (const each of waiting) each.destroy();
  await metronome.untilUnchanged(() => supervisor.history.of('arrival').length, 5);
  await supervisor.pushRelease();
  expect((await sidecar.send('GET', '/v1/update?wait=1h')).body.pending).toBe(true);
});

describe('a Supervisor that misbehaves', () => {
  test.each([500, 404, 302, 'garbage', 'reset'] as const)('by answering with %s is unreachable, and reached again when it does not', async (mood) => {
    const { sidecar, supervisor } = await startDevice({}, { UPDATE_LOCK_SUPERVISOR_POLL: '200ms' });
    supervisor.answerWith(mood);
    await sidecar.put('app');
    await sidecar.logged('Supervisor unreachable');
    expect((await sidecar.send('GET', '/v1/update')).body).toMatchObject({ supervisor: 'unreachable', pending: false });
    expect((await sidecar.send('GET', '/v1/lock')).body.summary).toMatch(/whether one waits is not known, since the Supervisor cannot be reached/);
    supervisor.answerWith(undefined);
    await sidecar.logged('Supervisor reachable again');
  });

  test('by not answering takes nothing from anybody', async () => {
    const { sidecar, supervisor } = await startDevice({}, { UPDATE_LOCK_SUPERVISOR_POLL: '100ms' });
    supervisor.answerWith('hang');
    await sidecar.put('app');
    await until(() => supervisor.history.of('arrival').length === 1);
    expect((await sidecar.send('GET', '/v1/update')).body).toMatchObject({ supervisor: 'not-asked-yet', pending: false, waiting: [] });
    // The answer has not waited for the end of that reading, after which comes the next one.
    expect(supervisor.history.of('arrival')).toHaveLength(1);
    expect((await sidecar.put('app')).status).toBe(200);
    expect((await sidecar.release('app')).status).toBe(200);
    expect(await sidecar.kill('SIGTERM')).toBe(0);
  });
});
