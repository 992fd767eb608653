import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeWallClock } from '../support/fake-wall-clock';
import { Hold } from '../support/hold';
import { ProbedServer } from '../support/probed-server';
import { supervisorLocks, supervisorUnlocks } from '../support/readers';
import { removeFolder } from '../support/remove-folder';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { LISTENS, open, start, startWaiting, useBrowser } from './sidecar-page';

useBrowser();

test('a lock that is free is said to be, and then who takes it, why, and until when', async () => {
  const sidecar = await start();
  const page = await open(sidecar);
  await page.shows('Free', '#badge');
  await page.shows('Nothing holds back updates.', '#summary');
  await page.shows('Nobody has a lease.', '.holders');
  await sidecar.put('recorder', { ttl: '90s', reason: 'recording' });
  await page.shows('Held', '#badge');
  await page.shows(/^Updates are held back by recorder \(recording\) since (?:\S+ )?\d\d:\d\d UTC, until .* UTC at the latest\.$/, '#summary');
  await page.shows(/recorder\s+recording\s.*\d\d:\d\d.*ago.*in 1 min \d+ s.*for a set time.*the Unix socket/s, '#leases');
  await page.shows('recorder took the lock recording', '#events');
  await sidecar.put('recorder', { ttl: '2h' });
  await page.shows('in 1 h 59 min', '#leases');
  await page.shows('Renewed\nonce', '#leases');
  await sidecar.release('recorder');
  await page.shows('recorder let go', '#events');
  await page.shows('Free', '#badge');
});

test.each([
  ['its name', { BALENA_DEVICE_NAME_AT_INIT: '<b>kitchen</b> north', BALENA_DEVICE_UUID: '7fc292ba8b2a41c0b6a4' }, '<b>kitchen</b> north'],
  ['the beginning of its id where it has no name', { BALENA_DEVICE_UUID: '7fc292ba8b2a41c0b6a4' }, '7fc292b'],
])('the head and the title say which device it is: %s', async (_what, environment, shown) => {
  const page = await open(await start(environment));
  await page.shows(shown, 'h1');
  expect(await page.run('document.title')).toBe(`Free · ${shown} · update-lock`);
});

test('several hold it, each in its own way', async () => {
  const sidecar = await start({ UPDATE_LOCK_HOLD_ON_START: '10m' });
  const hold = await Hold.open(sidecar.target, 'backup', '?reason=nightly');
  await sidecar.put('recorder');
  const page = await open(sidecar);
  await page.shows('3', '#lease-count');
  await page.shows(/@start.*by the sidecar itself.*backup.*its connection closes.*while connected.*recorder.*for a set time/s, '#leases');
  const buttons = (await page.run("[...document.querySelectorAll('#leases button')].map((each) => each.ariaLabel)")) as string[];
  expect(buttons).toEqual(['Release backup…', 'Release recorder…']);
  hold.close();
  await page.shows('backup ended with its connection', '#events');
  await page.shows('2', '#lease-count');
});

test('a probe that is busy holds it until its next answer at the earliest', async () => {
  const server = await ProbedServer.start('busy');
  const sidecar = await start({ UPDATE_LOCK_PROBES: JSON.stringify([{ name: 'jenkins', url: server.url, holdWhen: '/busy/' }]) });
  const page = await open(sidecar);
  await page.shows(/@probe-jenkins.*Until\s+its next answer at the earliest/s, '#leases');
  await page.shows('until the next answer of jenkins at the earliest.', '#summary');
  ProbedServer.cleanUp();
});

test('a hold by a tag lasts until that ends', async () => {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  supervisor.tags = { 'update-lock.hold': 'visitors' };
  const sidecar = await Sidecar.start({ folder, environment: { ...LISTENS, ...supervisor.environment, UPDATE_LOCK_TAGS: 'update-lock' } });
  const page = await open(sidecar);
  await page.shows(/@tags\s+.*visitors.*Until\s+the hold by tag ends/s, '#leases');
});

test('an update that waits, that is drained for, and that is applied', async () => {
  const { sidecar, supervisor } = await startWaiting({ UPDATE_LOCK_DEADLINE: '1h' });
  const page = await open(sidecar);
  await page.shows('Held, update waiting', '#badge');
  await page.shows(/^An update has been waiting since (?:\S+ )?\d\d:\d\d UTC; it is held back by app/, '#summary');
  await page.shows(/Waiting.*Waiting since.*ago.*Apps must let go.*in 59 min.*Held back by\s+app.*Supervisor\s+reachable/s, '#update');
  await sidecar.release('app');
  await supervisor.replacing();
  await page.shows('Updating', '#badge');
  await page.shows('Being applied', '#update');
  await page.shows("the Supervisor's", '#paths');
  // The attempt before this one has failed, since the lock was held. That is not worth a word any more.
  expect((await sidecar.send('GET', '/v1/update')).body).toMatchObject({ pending: true, failed: true, blockedBy: [] });
  await page.shows(/Being applied.*Waiting since.*Supervisor\s+reachable/s, '#update');
  expect(await page.run("document.querySelector('#update').innerText")).not.toContain('Last attempt');
  await supervisor.settle();
  await page.shows('Free', '#badge');
  await page.shows('No update is waiting any more', '#events');
});

test('draining is told, and whom it is for', async () => {
  const { sidecar } = await startWaiting({ UPDATE_LOCK_DEADLINE: '1s', UPDATE_LOCK_DEADLINE_GRACE: '10m' });
  await sidecar.logged('draining: the leases of apps end');
  const page = await open(sidecar);
  await page.shows('Draining', '#badge');
  await page.shows(/app \(at work\) must let go by (?:\S+ )?\d\d:\d\d UTC\.$/, '#summary');
  await page.shows(/Leases end\s+\S.* in 9 min/, '#update');
  await page.shows('Apps get no new leases until it is done', '#update');
});

test('what others do to the lock is told, with who it is', async () => {
  const sidecar = await start({ UPDATE_LOCK_LOST_COOLDOWN: '10m' });
  const page = await open(sidecar);
  const [path = ''] = sidecar.lockFiles;
  writeFileSync(path, '');
  await page.shows('Held by somebody else', '#badge');
  await page.shows(path, '#summary');
  await page.shows("somebody else's", '#paths');
  unlinkSync(path);
  await page.shows('Free', '#badge');
  expect(supervisorLocks(path)).toBe(true);
  await page.shows('Updating', '#badge');
  supervisorUnlocks([path]);
  await page.shows('Free', '#badge');
  await sidecar.put('app');
  await page.shows('Held', '#badge');
  unlinkSync(path);
  await page.shows('Cooling down', '#badge');
  await page.shows('app lost the lock, which was taken away from outside', '#events');
});

test('a lock that cannot be had is said to be unavailable, and why', async () => {
  const folder = makeFolder();
  const directory = join(folder, 'below');
  mkdirSync(directory);
  const sidecar = await Sidecar.start({ folder, environment: { ...LISTENS, UPDATE_LOCK_DIR: directory } });
  const page = await open(sidecar);
  await removeFolder(directory);
  writeFileSync(directory, '');
  await sidecar.put('app', { wait: 0 });
  await page.shows('Unavailable', '#badge');
  await page.shows(/^Nobody can hold back updates now: /, '#summary');
});

test('a window that is closed is shown, with when it opens, by the clock of the device', async () => {
  const folder = makeFolder();
  const clock = new FakeWallClock(folder, '2030-06-03 12:00:00');
  const settings = { UPDATE_LOCK_WINDOWS: '02:00-04:00', UPDATE_LOCK_FREEZE: '2030-12-31', UPDATE_LOCK_TIMEZONE: 'Europe/London' };
  const sidecar = await Sidecar.start({ folder, environment: { ...LISTENS, ...settings, ...clock.environment } });
  const page = await open(sidecar, { timezone: 'Asia/Kolkata' });
  await page.shows('until the window opens at 2030-06-04 02:00 BST.', '#summary');
  await page.shows(/Until\s+4 Jun, 06:30 in 12 h 59 min/, '#state-facts');
  await page.shows(/Closed.*Opens\s+4 Jun, 06:30 in 12 h 59 min.*Closes\s+4 Jun, 08:30.*Europe\/London/s, '#window');
  await page.shows(/@window.*Until\s+4 Jun, 06:30 in 12 h 59 min/s, '#leases');
});

test("what was shown before the device's clock was known is put right", async () => {
  const folder = makeFolder();
  const clock = new FakeWallClock(folder, '2030-06-03 12:00:00');
  const sidecar = await Sidecar.start({ folder, environment: { ...LISTENS, UPDATE_LOCK_WINDOWS: '02:00-04:00', UPDATE_LOCK_TIMEZONE: 'UTC', ...clock.environment } });
  const script = 'const ask = fetch; fetch = async (...of) => { while (window.isSlow !== false) await new Promise((resolve) => setTimeout(resolve, 10)); return ask(...of); }';
  const page = await open(sidecar, { script });
  await page.shows('4 Jun 2030, 02:00', '#window');
  await page.run('window.isSlow = false');
  await page.shows(/Opens\s+4 Jun, 02:00 in 13 h.*Closes\s+4 Jun, 04:00/s, '#window');
});

test("times are in the reader's zone, and the summary is as the sidecar says it, in its own zone and in the words of apps", async () => {
  const sidecar = await start();
  const { body } = await sidecar.put('app', { ttl: '2h', reason: 'since 10:00, until 10:07 at the latest' });
  const page = await open(sidecar, { timezone: 'Asia/Kolkata' });
  const inKolkata = (instant: unknown): string =>
    new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Kolkata' }).format(new Date(String(instant)));
  expect(await page.text('#summary')).toBe((await sidecar.send('GET', '/v1/lock')).body.summary);
  for (const place of ['#state-facts', '#leases']) {
    await page.shows(new RegExp(`since\\s[^:]*${inKolkata(body.since)}.*Until\\s[^:]*${inKolkata(body.expires)}`, 'is'), place);
  }
  await page.shows('Times are in Asia/', 'footer');
});

test('the last fifty events are shown, also those from before the page was opened, and renewals push out nothing', async () => {
  const sidecar = await start();
  await sidecar.put('earlier', { reason: 'before anybody looked' });
  await sidecar.release('earlier');
  const page = await open(sidecar);
  await page.shows(/^\S+\s+earlier let go; no lease is left\s+\S+\s+earlier took the lock before anybody looked\s+\S+\s+The sidecar started$/, '#events');
  await sidecar.put('first');
  await page.shows('first took the lock', '#events');
  for (let index = 0; index < 60; index += 1) await sidecar.put('first');
  await page.shows('first renewed, 60 times so far', '#events');
  expect(await page.run("document.querySelectorAll('#events li').length")).toBe(5);
  for (let index = 0; index < 60; index += 1) await sidecar.put(`app-${String(index)}`);
  await page.shows('app-59 took the lock', '#events li');
  expect(await page.run("document.querySelectorAll('#events li').length")).toBe(50);
  await page.showsNot('first', '#events');
});
