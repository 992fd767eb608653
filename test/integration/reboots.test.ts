import { EventStream } from '../support/event-stream';
import { Hold } from '../support/hold';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { backsOffForLong, metric, posts, startDevice, type UpdatableDevice } from '../support/updatable-device';
import { until } from '../support/until';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

const OURS = '/tmp/balena-supervisor/services/1234/update-lock/updates.lock';
const OTHERS = '/tmp/balena-supervisor/services/1234/kiosk/updates.lock';
const SETTINGS = { UPDATE_LOCK_HOST_POLL: '300ms', BALENA_APP_ID: '1234', BALENA_SERVICE_NAME: 'update-lock' };
const MESSAGE = 'reboot of the host OS pending';

const start = (settings: Readonly<Record<string, string>> = {}): Promise<UpdatableDevice> => startDevice({}, { ...SETTINGS, ...settings });
const readings = ({ supervisor }: UpdatableDevice): number => supervisor.requests('/v2/journal-logs').length;

test('a reboot that waits is told of everywhere, and goes on after the release without a request', async () => {
  const device = await start();
  const { sidecar, supervisor } = device;
  const events = await EventStream.open(sidecar.target);
  const hold = await Hold.open(sidecar.target, 'recorder', '?reason=recording');
  await hold.line('held');
  supervisor.journal.waitsFor(OURS);

  const { update } = await hold.line('update');
  expect(update).toMatchObject({ pending: true, waiting: ['reboot'], blockedBy: ['recorder'], detail: null });
  expect((await sidecar.send('GET', '/v1/update?wait=10')).body).toMatchObject({ waiting: ['reboot'] });
  expect((await sidecar.send('GET', '/v1/lock')).body.summary).toMatch(/^A reboot of the host OS has been waiting since .* UTC; it is held back by recorder \(recording\)/);
  await sidecar.logged(MESSAGE);
  expect([await metric(sidecar, 'reboot_pending'), await metric(sidecar, 'update_pending')]).toEqual([1, 1]);
  await events.next(({ event, data }) => event === 'update' && data.waiting[0] === 'reboot');
  const { events: history } = (await sidecar.send('GET', '/v1/history')).body as { events: { event: string; text: string }[] };
  expect(history).toContainEqual(expect.objectContaining({ event: 'update-waits', text: 'A reboot of the host OS is waiting' }));

  hold.close();
  supervisor.journal.goesOn();
  await sidecar.logged('reboot of the host OS no longer pending');
  expect(posts(device)).toEqual([]);
  expect(await metric(sidecar, 'reboot_pending')).toBe(0);
  events.close();
});

test('a release and a reboot wait side by side; the reboot comes first, and the Supervisor is asked only when it does not wait any more', async () => {
  const device = await start();
  const { sidecar, supervisor } = device;
  await sidecar.put('app');
  supervisor.journal.waitsFor(OURS);
  await sidecar.logged(MESSAGE);
  await supervisor.pushRelease();
  await sidecar.logged('update pending');
  expect((await sidecar.send('GET', '/v1/update')).body).toMatchObject({ waiting: ['release', 'reboot'], pending: true });
  await backsOffForLong(device);
  const before = readings(device);
  await sidecar.release('app');
  await until(() => readings(device) >= before + 3);
  expect(posts(device)).toEqual([]);
  // Not while the device goes down either: the update would be cut off in its middle.
  supervisor.journal.goesOn();
  const during = readings(device);
  await until(() => readings(device) >= during + 3);
  expect(posts(device)).toEqual([]);
  // The reboot has failed.
  supervisor.journal.write('[safe_reboot][INFO] Rebooting now...', 11 * 60_000);
  await until(() => posts(device).length === 1);
  await supervisor.settle();
  await sidecar.logged('update no longer pending');
});

test('one that waits for the lock of another service is only in the detail', async () => {
  const { sidecar, supervisor } = await start();
  supervisor.journal.waitsFor(OTHERS);
  await sidecar.put('app');
  await until(async () => (await sidecar.send('GET', '/v1/update')).body.detail !== null);
  expect((await sidecar.send('GET', '/v1/update')).body).toMatchObject({
    waiting: [], pending: false, detail: `A reboot of the host OS waits for the lock of another service: ${OTHERS}.`,
  });
});

test('a line of long ago, and the lines of other programs, are of no wait', async () => {
  const device = await start();
  device.supervisor.journal.waitsFor(OURS, 11 * 60_000);
  device.supervisor.journal.write(`${OURS} exists, busy waiting on unlocking for reboot.`, 0, 'prankster');
  await device.sidecar.put('app');
  await until(() => readings(device) >= 2);
  expect((await device.sidecar.send('GET', '/v1/update')).body).toMatchObject({ waiting: [], detail: null });
});

test('a line of before this boot is of no wait while the clock is not set yet', async () => {
  const device = await start();
  device.supervisor.journal.waitsFor(OURS, -86_400_000);
  await device.sidecar.put('app');
  await until(() => readings(device) >= 2);
  expect((await device.sidecar.send('GET', '/v1/update')).body).toMatchObject({ waiting: [], detail: null });
});

test('the apps are drained for it when the deadline has passed', async () => {
  const { sidecar, supervisor } = await start({ UPDATE_LOCK_DEADLINE: '1s', UPDATE_LOCK_DEADLINE_GRACE: '1s' });
  const hold = await Hold.open(sidecar.target, 'app');
  supervisor.journal.waitsFor(OURS);
  expect((await hold.line('draining'))['reason']).toBe('A reboot of the host OS has waited for the apps for 1s, which is the deadline.');
  expect((await hold.line('ended'))['lease']).toMatchObject({ ended: { reason: 'drained' } });
  expect((await sidecar.put('other')).body).toMatchObject({ code: 'draining' });
  supervisor.journal.goesOn();
  await sidecar.logged('draining is over: the update has come');
});

test('it is known over a restart of the sidecar', async () => {
  const { sidecar, supervisor, environment } = await start();
  await sidecar.put('app', { ttl: '1h' });
  supervisor.journal.waitsFor(OURS);
  await sidecar.logged(MESSAGE);
  const { since } = (await sidecar.send('GET', '/v1/update')).body as { since: string };
  supervisor.answerWith('hang', '/v2/journal-logs');
  await sidecar.kill();
  const again = await sidecar.startAgain(environment);
  const { waiting, since: sinceThen } = (await again.send('GET', '/v1/update')).body as { waiting: string[]; since: string };
  expect(waiting).toEqual(['reboot']);
  expect(Math.abs(Date.parse(sinceThen) - Date.parse(since))).toBeLessThan(1000);
});

test.each<[string, number | 'garbage']>([
  ['has no such endpoint', 404],
  ['fails', 503],
  ['answers with something else', 'garbage'],
])('a Supervisor that %s is said once, and everything else goes on', async (_, mood) => {
  const device = await start();
  const { sidecar, supervisor } = device;
  supervisor.answerWith(mood, '/v2/journal-logs');
  await sidecar.put('app');
  const { detail } = await sidecar.logged("host's journal cannot be read: reboots that wait are not seen");
  expect(detail).toMatch(mood === 404 ? /^the host's journal needs Supervisor 10\.2 or later$/ : /./);
  await until(() => readings(device) >= 3);
  await supervisor.pushRelease();
  await sidecar.logged('update pending');
  expect(sidecar.lines().filter(({ message }) => String(message).startsWith("host's journal"))).toHaveLength(1);
  supervisor.answerWith(undefined, '/v2/journal-logs');
  await sidecar.logged("host's journal can be read again");
});

test('turned off, the journal is not read', async () => {
  const device = await start({ UPDATE_LOCK_HOST_POLL: 'off' });
  await device.sidecar.put('app');
  await device.supervisor.history.next('arrival');
  await device.sidecar.send('GET', '/v1/update?wait=2');
  expect(device.supervisor.history.of('arrival').filter(({ path }) => path === '/v2/journal-logs')).toEqual([]);
});
