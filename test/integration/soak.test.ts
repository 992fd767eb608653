import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeWallClock } from '../support/fake-wall-clock';
import { holdsBackHost } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';
import { backsOffForLong, posts } from '../support/updatable-device';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

const ADMIN = { Authorization: 'Bearer admin-token' };
const TARGET = '/v2/applications/state';

interface Device {
  readonly sidecar: Sidecar;
  readonly supervisor: StandInSupervisor;
  readonly clock: FakeWallClock;
}

interface Start {
  readonly at?: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly supervisor?: StandInSupervisor;
}

/** Releases have to wait for a day. */
async function start({ at = '2030-06-03 12:00:00', settings = {}, folder = makeFolder(), ...given }: Start = {}): Promise<Device> {
  const supervisor = given.supervisor ?? (await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], replacesForMs: 0 }));
  const clock = new FakeWallClock(folder, at);
  const environment = {
    UPDATE_LOCK_SOAK: '1d', UPDATE_LOCK_SUPERVISOR_POLL: '200ms', UPDATE_LOCK_ADMIN_TOKEN: 'admin-token',
    ...supervisor.environment, ...clock.environment, ...settings,
  };
  return { supervisor, clock, sidecar: await Sidecar.start({ folder, environment }) };
}

/** A release that the device has seen, and that waits. */
async function startSoaking(options: Start = {}): Promise<Device & { readonly commit: string }> {
  const device = await start(options);
  await knows(device);
  return { ...device, commit: await push(device) };
}

async function push({ supervisor, sidecar }: Device): Promise<string> {
  const commit = await supervisor.pushRelease();
  await sidecar.logged('release soaks', { commit });
  await until(async () => (await sidecar.send('GET', '/v1/update')).body.pending === true);
  return commit;
}

/** Once the Supervisor has answered. */
async function knows({ sidecar }: Device): Promise<void> {
  await until(async () => (await lockOf({ sidecar })).leases[0]?.reason.startsWith('a release has to soak for '));
}

async function lockOf({ sidecar }: Pick<Device, 'sidecar'>): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  return (await sidecar.send('GET', '/v1/lock')).body;
}

async function holdersOf(device: Device): Promise<string[]> {
  return (await lockOf(device)).leases.map(({ name }: { name: string }) => name);
}

async function checkOf({ sidecar }: Device): Promise<unknown> {
  const { status, body } = await sidecar.send('GET', '/readyz');
  return { status, ...(body as { checks: { name: string }[] }).checks.find(({ name }) => name === 'soak') };
}

/** As after a reboot: everything but the state directory is gone, and the count there is of the boot before. */
async function startAfterReboot({ sidecar }: Device, options: Start): Promise<Device> {
  await sidecar.kill();
  const folder = makeFolder();
  cpSync(join(sidecar.folder, 'state'), join(folder, 'state'), { recursive: true });
  const file = join(folder, 'state/soak');
  const stored = JSON.parse(readFileSync(file, 'utf8')) as { soak: { countedAt: object } };
  writeFileSync(file, JSON.stringify({ ...stored, soak: { ...stored.soak, countedAt: { ...stored.soak.countedAt, boot: 'the boot before' } } }));
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], replacesForMs: 0 });
  // It needs the lock only once the sidecar is there.
  await supervisor.pushRelease({ holdDownload: true });
  const device = await start({ ...options, folder, supervisor });
  supervisor.device.finishDownload();
  await device.sidecar.logged('update pending');
  return device;
}

test('the lock is held from the start, before anybody knows what the device is to have', async () => {
  const device = await start();
  const { sidecar } = device;
  const first = sidecar.lines().find(({ message }) => message === 'lease acquired');
  expect(first).toMatchObject({ name: '@soak', reason: 'the Supervisor has not said yet which release the device is to have' });
  expect(sidecar.lockFiles.map((path) => [existsSync(path), holdsBackHost(path)])).toEqual([[true, true], [true, true]]);
  await knows(device);
  // The lock is taken before the minute is full, now and then.
  expect((await lockOf(device)).summary).toMatch(
    /^Updates are held back by @soak \(a release has to soak for 1d first\) since 1[12]:\d\d UTC, until a release has soaked for 1d; none is waiting now\.$/,
  );
  expect(await checkOf(device)).toEqual({ status: 200, name: 'soak', ok: true, detail: 'Releases have to soak.' });
});

test('a release is applied once it has waited, and then the lock is held again', async () => {
  const device = await startSoaking();
  const { sidecar, supervisor, clock, commit } = device;
  clock.set('2030-06-04 11:59:59');
  const { leases, summary } = await lockOf(device);
  expect(leases).toMatchObject([{ name: '@soak', reason: `release ${commit.slice(0, 7)} soaks for 1d` }]);
  expect(summary).toMatch(/^An update has been waiting since .* UTC; it is held back by @soak \(release .{7} soaks for 1d\) since .* UTC, until the soak ends at 12:00 UTC\.$/);
  expect(posts(device)).toEqual([]);
  clock.set('2030-06-04 12:00:00');
  expect(await holdersOf(device)).toEqual([]);
  await supervisor.history.next('applied', (applied) => applied.commit === commit);
  expect(posts(device)).toEqual([{ force: false, cancel: true }]);
  await sidecar.logged('lease acquired', { name: '@soak' }, 2);
  await knows(device);
  const { events } = (await sidecar.send('GET', '/v1/history')).body as { events: { text: string }[] };
  expect(events.map(({ text }) => text)).toEqual(expect.arrayContaining([
    `Release ${commit.slice(0, 7)} has to wait for 1d before it may be applied`, `Release ${commit.slice(0, 7)} has waited long enough to be applied`,
  ]));
});

test('a newer release starts the time anew, and the download counts', async () => {
  const device = await startSoaking();
  const { supervisor, clock, sidecar } = device;
  clock.set('2030-06-04 11:59:59');
  const commit = await supervisor.pushRelease({ holdDownload: true });
  await sidecar.logged('release soaks', { commit, for: '1d' });
  supervisor.device.finishDownload();
  clock.set('2030-06-04 12:00:00');
  await until(async () => (await sidecar.send('GET', '/v1/update')).body.pending === true);
  expect((await lockOf(device)).leases).toMatchObject([{ name: '@soak', reason: `release ${commit.slice(0, 7)} soaks for 1d` }]);
  clock.set('2030-06-05 11:59:59');
  expect(await holdersOf(device)).toEqual([]);
  await supervisor.history.next('applied', (applied) => applied.commit === commit);
});

test('a change of variables is applied at once', async () => {
  const device = await start();
  await knows(device);
  const commit = await device.supervisor.pushRelease({ change: 'variables' });
  await device.supervisor.history.next('applied', (applied) => applied.commit === commit);
});

test('the release that runs need not wait, also where the sidecar has never seen another', async () => {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  const stopChecking = supervisor.check();
  const device = await start({ folder, supervisor });
  await device.sidecar.logged('lease ended', { name: '@soak' });
  stopChecking();
  await device.sidecar.logged('lease acquired', { name: '@soak' }, 2);
});

test('the time goes on over restarts, and over reboots with the device off in between', async () => {
  const device = await startSoaking();
  const { sidecar, supervisor, clock } = device;
  clock.set('2030-06-03 18:00:00');
  await sidecar.kill();
  const again = await start({ folder: sidecar.folder, supervisor, at: '2030-06-03 19:00:00' });
  await until(async () => (await lockOf(again)).leases[0]?.reason.startsWith('release '));
  expect((await lockOf(again)).summary).toMatch(/until the soak ends at 2030-06-04 12:00 UTC\.$/);
  const early = await startAfterReboot(again, { at: '2030-06-04 11:00:00' });
  expect((await lockOf(early)).summary).toMatch(/until the soak ends at 12:00 UTC\.$/);
  const late = await startAfterReboot(early, { at: '2030-06-04 12:00:00' });
  await late.supervisor.history.next('applied');
});

test('while the clock is not set only the time counts for which the device was on', async () => {
  const device = await startSoaking();
  const rebooted = await startAfterReboot(device, { at: '1970-01-01 00:00:10' });
  expect(await lockOf(rebooted)).toMatchObject({ leases: [{ name: '@soak' }], summary: expect.stringMatching(/until the soak ends\.$/) });
  rebooted.clock.set('2030-06-04 12:00:00');
  expect(await holdersOf(rebooted)).toEqual([]);
  await rebooted.supervisor.history.next('applied');
});

test('somebody may allow it sooner', async () => {
  const device = await startSoaking();
  const { sidecar, supervisor, commit } = device;
  await sidecar.send('PUT', '/v1/override', { json: { updates: 'allow', for: '1h' }, headers: ADMIN });
  expect(await holdersOf(device)).toEqual([]);
  await supervisor.history.next('applied', (applied) => applied.commit === commit);
  await sidecar.send('DELETE', '/v1/override', { headers: ADMIN });
  await until(async () => (await holdersOf(device)).includes('@soak'));
});

test('a forced update need not wait, and after it the lock is held again', async () => {
  const device = await startSoaking({ settings: { UPDATE_LOCK_LOST_COOLDOWN: '1s' } });
  const { sidecar, supervisor, commit } = device;
  expect((await sidecar.send('POST', '/v1/update', { json: { force: true }, headers: ADMIN })).status).toBe(202);
  await supervisor.history.next('applied', (applied) => applied.commit === commit);
  await sidecar.logged('lease acquired', { name: '@soak' }, 2);
  await knows(device);
});

test('a sidecar that is replaced by the very release that has waited does not get in its way', async () => {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  const device = await startSoaking({ folder, supervisor });
  device.clock.set('2030-06-04 12:00:00');
  expect(await holdersOf(device)).toEqual([]);
  await supervisor.replacing();
  await device.sidecar.kill();
  const again = await start({ folder, supervisor, at: '2030-06-04 12:00:10' });
  await until(async () => (await lockOf(again)).update?.supervisor === 'reachable');
  expect(await lockOf(again)).toMatchObject({ state: 'updating', update: { pending: true } });
  await supervisor.settle();
  await again.sidecar.logged('lease acquired', { name: '@soak' });
  await knows(again);
  expect(supervisor.device.current.release.commit).toBe(device.commit);
});

test('a mere reboot of the host OS does not have to wait, one beside a release does', async () => {
  // Lines of the journal are of now.
  const at = new Date().toISOString().slice(0, 19).replace('T', ' ');
  const device = await start({ at, settings: { UPDATE_LOCK_HOST_POLL: '200ms' } });
  const { sidecar, supervisor } = device;
  await knows(device);
  await sidecar.put('app');
  supervisor.journal.waitsFor('/tmp/balena-supervisor/services/1/main/updates.lock');
  await sidecar.logged('reboot of the host OS pending');
  expect(await holdersOf(device)).toEqual(['app']);
  await push(device);
  expect(await holdersOf(device)).toEqual(['app', '@soak']);
  expect((await sidecar.send('GET', '/v1/update')).body).toMatchObject({ waiting: ['release', 'reboot'] });
});

test('a release that comes while another one, which has waited, cannot be applied yet, is held back', async () => {
  const device = await startSoaking();
  const { sidecar, supervisor, clock } = device;
  await sidecar.put('app');
  clock.set('2030-06-04 12:00:00');
  expect(await holdersOf(device)).toEqual(['app']);
  await push(device);
  expect(await holdersOf(device)).toEqual(['app', '@soak']);
  await sidecar.release('app');
  expect(await holdersOf(device)).toEqual(['@soak']);
  await supervisor.history.next('attempt', ({ result }) => result === 'locked', supervisor.history.all.length);
});

test('a newer release is also seen while the lock is free', async () => {
  const device = await startSoaking();
  const { sidecar, supervisor, clock } = device;
  await backsOffForLong(device);
  supervisor.goOffline();
  clock.set('2030-06-04 12:00:00');
  expect((await lockOf(device)).state).toBe('free');
  const reads = (): number => supervisor.requests('/v1/device').length;
  const before = reads();
  // More often than after each request for an update.
  await until(() => reads() > before + 8);
  const { target } = supervisor.device;
  supervisor.device.setTarget({ ...target, release: { commit: 'c0ffee', imageId: 300 } });
  await sidecar.logged('release soaks', { commit: 'c0ffee' });
  expect(await holdersOf(device)).toEqual(['@soak']);
});

test.each([404, 500, 'garbage'] as const)('a Supervisor that does not say what the device is to have (%s) gets no lock meanwhile', async (mood) => {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], replacesForMs: 0 });
  supervisor.answerWith(mood, TARGET);
  const device = await start({ folder, supervisor });
  const reason = 'the Supervisor does not say which release the device is to have';
  await until(async () => (await lockOf(device)).leases[0]?.reason === reason);
  await supervisor.pushRelease();
  await device.sidecar.logged('update pending');
  expect((await lockOf(device)).leases).toMatchObject([{ name: '@soak', reason }]);
  supervisor.answerWith(undefined, TARGET);
  await device.sidecar.logged('release soaks');
});

test("without the Supervisor's API nothing soaks, and /readyz is red", async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_SOAK: '1d' } });
  const detail = "Releases do not soak: UPDATE_LOCK_SOAK needs the Supervisor's API, which names the release that the device is to have.";
  const { status, body } = await sidecar.send('GET', '/readyz');
  expect([status, (body as { checks: unknown[] }).checks]).toEqual([503, expect.arrayContaining([{ name: 'soak', ok: false, detail }])]);
  expect((await sidecar.send('GET', '/v1/lock')).body).toMatchObject({ state: 'free', leases: [] });
  await sidecar.logged("UPDATE_LOCK_SOAK has no effect without the Supervisor's API, which names the release that waits");
});

test('a file of a newer version is kept aside, and the release has to wait from then on', async () => {
  const device = await startSoaking();
  const { sidecar, supervisor } = device;
  await sidecar.kill();
  const file = join(sidecar.folder, 'state/soak');
  const newer = readFileSync(file, 'utf8').replace('"version":1', '"version":2');
  writeFileSync(file, newer);
  const again = await start({ folder: sidecar.folder, supervisor, at: '2030-06-04 12:00:00' });
  await again.sidecar.logged('release soaks', { for: '1d' });
  expect(readFileSync(`${file}.unreadable`, 'utf8')).toBe(newer);
  await again.sidecar.logged('operation failed', { operation: 'state' });
});

test('without the setting, the lease of a former process ends', async () => {
  const { sidecar, supervisor } = await startSoaking();
  await sidecar.kill();
  const again = await start({ folder: sidecar.folder, supervisor, settings: { UPDATE_LOCK_SOAK: '0' } });
  await supervisor.history.next('applied');
  expect(await holdersOf(again)).toEqual([]);
});
