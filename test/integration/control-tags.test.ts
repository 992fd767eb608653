import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventStream } from '../support/event-stream';
import { FakeWallClock } from '../support/fake-wall-clock';
import { holdsBackHost } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { metric } from '../support/updatable-device';
import { until } from '../support/until';

const PATH = '/v2/device/tags';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

interface Device {
  readonly sidecar: Sidecar;
  readonly supervisor: StandInSupervisor;
  readonly clock: FakeWallClock;
}

interface Start {
  readonly at?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly before?: (supervisor: StandInSupervisor) => void;
}

/** Updates are allowed from two to four, by the settings. */
async function start({ at = '2030-06-03 12:00:30', tags = {}, settings = {}, folder = makeFolder(), before = () => undefined }: Start = {}): Promise<Device> {
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  supervisor.tags = tags;
  before(supervisor);
  const clock = new FakeWallClock(folder, at);
  const environment = {
    UPDATE_LOCK_WINDOWS: '02:00-04:00', UPDATE_LOCK_TAGS: 'update-lock', UPDATE_LOCK_TAGS_POLL: '100ms', UPDATE_LOCK_SUPERVISOR_POLL: '1s',
    ...supervisor.environment, ...clock.environment, ...settings,
  };
  return { supervisor, clock, sidecar: await Sidecar.start({ folder, environment }) };
}

/** As after a reboot without a network: everything but the state directory is gone. */
async function startAfterReboot({ sidecar }: Device, options: Start = {}): Promise<Device> {
  await sidecar.kill();
  const folder = makeFolder();
  cpSync(join(sidecar.folder, 'state'), join(folder, 'state'), { recursive: true });
  return start({ before: (supervisor) => { supervisor.goOffline(); }, ...options, folder });
}

async function lockOf({ sidecar }: Pick<Device, 'sidecar'>): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  return (await sidecar.send('GET', '/v1/lock')).body;
}

async function holdersOf(device: Device): Promise<string[]> {
  return (await lockOf(device)).leases.map(({ name }: { name: string }) => name).sort();
}

/** Once the tags, these from now on, have been read again and taken over. */
async function readAgain({ supervisor }: Device, tags?: Readonly<Record<string, string>>): Promise<void> {
  if (tags !== undefined) supervisor.tags = tags;
  const reads = (): number => supervisor.requests(PATH).filter(({ method, status }) => method === 'GET' && status !== undefined).length;
  const before = reads();
  // One may have been under way before; the last is asked only after the one before it has been taken over.
  await until(() => reads() >= before + 3);
}

async function warningOf({ sidecar }: Device): Promise<unknown> {
  const { status, body } = await sidecar.send('GET', '/readyz');
  return { status, ...(body as { checks: { name: string }[] }).checks.find(({ name }) => name === 'tags') };
}

test('windows, freezes and the time zone follow the tags while they are there, and everything that shows them does', async () => {
  const device = await start({ tags: { 'update-lock': 'ours', site: 'Berlin' } });
  const stream = await EventStream.open(device.sidecar.target);
  await stream.opened();
  await readAgain(device, { 'update-lock.windows': '11:00-13:00' });
  expect(await lockOf(device)).toMatchObject({ state: 'free', window: { open: true, opens: null, closes: '2030-06-03T13:00:00.000Z', timezone: 'UTC' } });
  expect(await metric(device.sidecar, 'window_open')).toBe(1);
  await stream.next(({ event, data }) => event === 'lock' && data.window.open === true);
  await readAgain(device, { 'update-lock.windows': '11:00-13:00', 'update-lock.timezone': 'Asia/Tokyo' });
  expect((await lockOf(device)).window).toEqual({ open: false, opens: '2030-06-04T02:00:00.000Z', closes: '2030-06-04T04:00:00.000Z', frozen: false, timezone: 'Asia/Tokyo' });
  expect((await lockOf(device)).summary).toMatch(/since 21:00 GMT\+9, until the window opens at 2030-06-04 11:00 GMT\+9;/);
  await readAgain(device, { 'update-lock.freeze': '2030-06-03' });
  expect((await lockOf(device)).window).toMatchObject({ open: false, frozen: true, opens: '2030-06-04T02:00:00.000Z', timezone: 'UTC' });
  await readAgain(device, {});
  expect((await lockOf(device)).window).toMatchObject({ open: false, frozen: false, opens: '2030-06-04T02:00:00.000Z' });
  expect(await metric(device.sidecar, 'window_open')).toBe(0);
});

test('tags set windows also where no setting does, and a hold and an allow are in the summary', async () => {
  const device = await start({ settings: { UPDATE_LOCK_WINDOWS: '' } });
  await device.sidecar.logged('lease ended', { name: '@tags' });
  expect(await lockOf(device)).toMatchObject({ state: 'free', window: null });
  await readAgain(device, { 'update-lock.windows': '02:00-04:00', 'update-lock.hold': 'stocktaking' });
  expect(await holdersOf(device)).toEqual(['@tags', '@window']);
  expect(device.sidecar.lockFiles.map(holdsBackHost)).toEqual([true, true]);
  await readAgain(device, { 'update-lock.hold': 'stocktaking' });
  expect((await lockOf(device)).summary).toMatch(/^Updates are held back by @tags \(stocktaking\) since .* UTC, until the tag update-lock\.hold is removed; /);
  await readAgain(device, { 'update-lock.windows': '02:00-04:00', 'update-lock.allow': 'until 2030-06-03T14:00Z the fix for the pump' });
  const { state, summary, window } = await lockOf(device);
  expect([state, window.open]).toEqual(['free', false]);
  expect(summary).toMatch(/^Nothing holds back updates; .*; updates are allowed by a device tag \(the fix for the pump\) until 14:00 UTC\.$/);
  device.clock.set('2030-06-03 14:00:00');
  expect(await holdersOf(device)).toEqual(['@window']);
});

test('an update that waits starts when the tag that held it is removed', async () => {
  const device = await start({ at: '2030-06-03 02:30:00', tags: { 'update-lock.hold': 'stocktaking' } });
  await device.sidecar.logged('control tags changed');
  await device.supervisor.pushRelease();
  await device.supervisor.history.next('back-off');
  await device.sidecar.logged('update pending');
  expect((await lockOf(device)).summary).toMatch(/^An update has been waiting since .*; it is held back by @tags \(stocktaking\)/);
  device.supervisor.tags = {};
  await device.supervisor.replacing();
});

test.each<[string, (supervisor: StandInSupervisor) => void, string | null]>([
  ['there is no network', (supervisor) => { supervisor.goOffline(); }, 'it answered with status 500'],
  ['the Supervisor knows no tags', (supervisor) => { supervisor.answerWith(404, PATH); }, 'reading device tags needs Supervisor 9.11 or later'],
  ['it answers with garbage', (supervisor) => { supervisor.answerWith('garbage', PATH); }, 'its answer has no tags in it'],
  ['it does not answer', (supervisor) => { supervisor.answerWith('hang', PATH); }, null],
  ['there are more tags than anybody has', (supervisor) => { supervisor.tags = { 'update-lock.allow': 'until 2031-01-01T00:00Z', x: 'x'.repeat(1024 * 1024) }; }, 'its answer is longer than 1048576 bytes'],
])('at the first start the lock is held until there is an answer: %s', async (_, before, problem) => {
  const device = await start({ at: '2030-06-03 02:30:00', before });
  if (problem !== null) await device.sidecar.logged('device tags cannot be read', { detail: problem });
  expect((await lockOf(device)).summary).toMatch(/^Updates are held back by @tags \(the device tags have not been read yet\) since .*, until the device tags have been read, or 15 minutes have passed[.;]/);
  expect(device.sidecar.lockFiles.map(holdsBackHost)).toEqual([true, true]);
});

test('of thousands of tags of others, ours are found', async () => {
  const others = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`site-${String(index)}`, 'x'.repeat(100)]));
  const device = await start({ tags: { ...others, 'update-lock.windows': '11:00-13:00' } });
  await device.sidecar.logged('control tags changed');
  expect(await holdersOf(device)).toEqual([]);
});

test('what was read last stays without an answer, over a restart without a gap, and over a reboot', async () => {
  const tags = { 'update-lock.windows': '11:00-13:00', 'update-lock.hold': 'until 2030-06-03T12:30Z stocktaking', 'update-lock.allow': 'until 2030-06-03T14:00Z' };
  const device = await start({ tags });
  await device.sidecar.logged('control tags changed');
  const [lease] = (await lockOf(device)).leases;
  device.supervisor.goOffline();
  await device.sidecar.logged('device tags cannot be read');
  await device.sidecar.kill();
  const again = await start({ folder: device.sidecar.folder, before: (supervisor) => { supervisor.goOffline(); } });
  expect((await lockOf(again)).leases).toMatchObject([{ id: lease.id, name: '@tags', reason: 'stocktaking' }]);
  const rebooted = await startAfterReboot(again);
  await rebooted.sidecar.logged('device tags cannot be read');
  expect(await lockOf(rebooted)).toMatchObject({ window: { open: true }, leases: [{ name: '@tags' }] });
  rebooted.clock.set('2030-06-03 12:30:00');
  expect(await holdersOf(rebooted)).toEqual([]);
  rebooted.clock.set('2030-06-03 13:30:00');
  expect([await holdersOf(rebooted), (await lockOf(rebooted)).window.open]).toEqual([[], false]);
  rebooted.clock.set('2030-06-03 14:00:00');
  expect(await holdersOf(rebooted)).toEqual(['@window']);
});

test('while the clock is at 1970 an allow is not in force and a hold is', async () => {
  const tags = { 'update-lock.allow': 'until 2030-06-04T00:00Z', 'update-lock.hold': 'until 2030-06-03T12:00Z' };
  const device = await start({ tags });
  await device.sidecar.logged('control tags changed');
  expect(await holdersOf(device)).toEqual([]);
  const rebooted = await startAfterReboot(device, { at: '1970-01-01 00:00:10' });
  expect(await holdersOf(rebooted)).toEqual(['@tags', '@window']);
  rebooted.clock.set('2030-06-03 12:10:00');
  expect(await holdersOf(rebooted)).toEqual([]);
});

test('a value that cannot be read is in log, readiness and summary, changes nothing, and is told once', async () => {
  const device = await start({ tags: { 'update-lock.windows': '11:00-13:00', 'update-lock.timezone': 'Europe/London' } });
  await device.sidecar.logged('control tags changed');
  expect(await warningOf(device)).toMatchObject({ status: 200, ok: true, detail: 'These control tags count: update-lock.windows, update-lock.timezone.' });
  const { window } = await lockOf(device);
  await readAgain(device, { 'update-lock.windows': '', 'update-lock.timezone': 'Europe/Londn', 'update-lock.freeze': 'garbage '.repeat(1280), 'update-lock.window': '00:00-24:00' });
  const lock = await lockOf(device);
  expect(lock.window).toEqual(window);
  expect(lock.summary).toMatch(/ The device tags update-lock\.windows, update-lock\.timezone, update-lock\.freeze and 1 more cannot be read\.$/);
  expect(await warningOf(device)).toMatchObject({ status: 200, ok: true, warning: true, detail: expect.stringContaining('update-lock.timezone: "Europe/Londn" is not a time zone') });
  await readAgain(device);
  const { events } = (await device.sidecar.send('GET', '/v1/history')).body as { events: { event: string; text: string }[] };
  expect(events.filter(({ event }) => event === 'control-tag-unreadable').map(({ text }) => text).sort()).toEqual(
    ['freeze', 'timezone', 'window', 'windows'].map((name) => `The device tag update-lock.${name} cannot be read`),
  );
  const unreadable = (await device.sidecar.wholeLog()).filter(({ message }) => message === 'control tag cannot be read');
  expect(unreadable.map(({ tag, level }) => [tag, level]).sort()).toEqual(['freeze', 'timezone', 'window', 'windows'].map((name) => [`update-lock.${name}`, 'warn']));
  expect(JSON.stringify(unreadable).length).toBeLessThan(4000);
});

test('tags that flap keep the lock wherever both sides hold it', async () => {
  const device = await start({ tags: { 'update-lock.hold': 'stocktaking' } });
  await device.sidecar.logged('control tags changed');
  for (let index = 0; index < 5; index += 1) await readAgain(device, index % 2 === 0 ? { 'update-lock.freeze': '2030-06-03' } : { 'update-lock.hold': 'stocktaking' });
  const log = await device.sidecar.wholeLog();
  expect(log.filter(({ message, lock }) => message === 'lease ended' && lock === 'released')).toEqual([]);
  expect(log.filter(({ message }) => message === 'control tags changed')).toHaveLength(6);
});

test('what a newer version remembers is kept aside, and the lock held until there is an answer', async () => {
  const device = await start({ tags: { 'update-lock.windows': '11:00-13:00' } });
  await device.sidecar.logged('control tags changed');
  await device.sidecar.kill();
  const file = join(device.sidecar.folder, 'state/tags');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ version: 1, tags: { windows: '11:00-13:00' } });
  writeFileSync(file, '{"version":2,"tags":{"windows":"sometimes"}}');
  const again = await start({ folder: device.sidecar.folder, before: (supervisor) => { supervisor.goOffline(); } });
  expect(await holdersOf(again)).toEqual(['@tags', '@window']);
  again.supervisor.goOnline();
  await again.sidecar.logged('lease ended', { name: '@tags' });
});

test('without the setting no tag is read, and a hold of a former process ends', async () => {
  const device = await start({ at: '2030-06-03 02:30:00', tags: { 'update-lock.hold': 'stocktaking' } });
  await device.sidecar.logged('control tags changed');
  await device.sidecar.kill();
  const again = await start({ at: '2030-06-03 02:30:00', folder: device.sidecar.folder, settings: { UPDATE_LOCK_TAGS: 'off' } });
  expect(await holdersOf(again)).toEqual([]);
  expect(again.supervisor.requests(PATH)).toEqual([]);
});

test('a forced update gets through a hold by tag, which then holds the lock again', async () => {
  const device = await start({ at: '2030-06-03 02:30:00', tags: { 'update-lock.hold': 'stocktaking' }, settings: { UPDATE_LOCK_LOST_COOLDOWN: '1s', UPDATE_LOCK_ADMIN_TOKEN: 'admin-token' } });
  const { sidecar, supervisor } = device;
  await sidecar.logged('control tags changed');
  await supervisor.pushRelease();
  await supervisor.history.next('back-off');
  expect((await sidecar.send('POST', '/v1/update', { json: { force: true }, headers: { Authorization: 'Bearer admin-token' } })).status).toBe(202);
  await sidecar.logged('lease ended', { name: '@tags', ended: 'lost' });
  await supervisor.settle();
  // The first one had the reason that the tags had not been read yet.
  await sidecar.logged('lease acquired', { name: '@tags', reason: 'stocktaking' });
  expect(sidecar.lockFiles.map(holdsBackHost)).toEqual([true, true]);
});

test('with a state directory that cannot be used the tags count all the same, until a reboot', async () => {
  const folder = makeFolder();
  writeFileSync(join(folder, 'state'), 'not a directory');
  const device = await start({ folder, tags: { 'update-lock.windows': '11:00-13:00' } });
  await device.sidecar.logged('control tags changed');
  await readAgain(device);
  expect((await lockOf(device)).window.open).toBe(true);
  const rebooted = makeFolder();
  await device.sidecar.kill();
  expect(await holdersOf(await start({ folder: rebooted, before: (supervisor) => { supervisor.goOffline(); } }))).toEqual(['@tags', '@window']);
});
