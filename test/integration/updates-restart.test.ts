import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until, untilPast } from '../support/until';
import { backsOffForLong, metric, posts, startDevice, startWaiting } from '../support/updatable-device';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

test('since when an update waits is known after a restart', async () => {
  const { sidecar, environment } = await startWaiting();
  const { since } = (await sidecar.send('GET', '/v1/update')).body;
  await sidecar.kill();
  const again = await sidecar.startAgain(environment);
  expect((await again.send('GET', '/v1/update')).body).toMatchObject({ pending: true, since });
});

test('a last lease that has run out while there was no sidecar is a release like any other', async () => {
  const { sidecar, supervisor, environment } = await startWaiting();
  await backsOffForLong({ supervisor });
  const { body } = await sidecar.put('app', { ttl: '1s' });
  await sidecar.kill();
  await untilPast(body.expires);
  const again = await sidecar.startAgain(environment);
  await supervisor.settle();
  expect(posts({ supervisor })).toEqual([{ force: false, cancel: true }]);
  await again.logged('update no longer pending');
});

test('a sidecar that is killed before it has asked for the update asks when it is back', async () => {
  const { sidecar, supervisor, environment } = await startWaiting();
  await backsOffForLong({ supervisor });
  supervisor.answerWith('hang', '/v1/device');
  await sidecar.release('app');
  await sidecar.kill();
  supervisor.answerWith(undefined, '/v1/device');
  await sidecar.startAgain(environment);
  await supervisor.settle();
  expect(posts({ supervisor })).toEqual([{ force: false, cancel: true }]);
});

test('a sidecar that is replaced by the very update finds out that it has come', async () => {
  const { sidecar, supervisor, environment } = await startWaiting();
  await sidecar.release('app');
  await supervisor.replacing();
  await sidecar.kill();
  const again = await sidecar.startAgain(environment);
  expect(await metric(again, 'update_pending')).toBe(1);
  await supervisor.settle();
  await again.logged('update no longer pending');
  expect(await metric(again, 'update_pending')).toBe(0);
});

test('an update that goes away while it is downloaded anew is not remembered', async () => {
  const { sidecar, supervisor, environment } = await startWaiting({}, { UPDATE_LOCK_SUPERVISOR_POLL: '100ms' });
  await supervisor.pushRelease({ holdDownload: true });
  await until(async () => (await sidecar.send('GET', '/v1/lock')).body.update.downloading === true);
  // As if the release had been taken back.
  supervisor.device.setTarget(supervisor.device.current);
  supervisor.device.finishDownload();
  supervisor.device.pending = supervisor.device.failed = false;
  await until(async () => (await sidecar.send('GET', '/v1/update')).body.downloading === false);
  await sidecar.kill();
  await supervisor.stopListening();
  const again = await sidecar.startAgain(environment);
  expect(await metric(again, 'update_pending')).toBe(0);
});

test('nothing is asked at a start at which no update is known to wait', async () => {
  const { sidecar, supervisor, environment } = await startDevice();
  await sidecar.kill();
  const again = await sidecar.startAgain(environment);
  await again.send('GET', '/v1/lock');
  expect(await again.kill('SIGTERM')).toBe(0);
  expect(supervisor.requests()).toEqual([]);
});

test('a Supervisor that does not answer delays neither a stop nor who waits for an update', async () => {
  const { sidecar, supervisor } = await startWaiting();
  await backsOffForLong({ supervisor });
  supervisor.answerWith('hang');
  const waiting = sidecar.send('GET', '/v1/update?wait=1h');
  const { length } = supervisor.history.of('arrival');
  await until(() => supervisor.history.of('arrival').length > length);
  await sidecar.release('app');
  sidecar.process.kill('SIGTERM');
  expect((await waiting).status).toBe(200);
  await sidecar.logged('stopped');
  expect(await sidecar.exited()).toBe(0);
});
