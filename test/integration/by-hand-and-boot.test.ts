import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EventStream } from '../support/event-stream';
import { FakeWallClock } from '../support/fake-wall-clock';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

async function lockOf(sidecar: Sidecar): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  return (await sidecar.send('GET', '/v1/lock')).body;
}

describe('never: a person agrees first', () => {
  const ADMIN = { Authorization: 'Bearer admin-token' };

  test('an update waits for somebody to allow it, and begins when somebody does', async () => {
    const folder = makeFolder();
    const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], replacesForMs: 0 });
    const settings = { UPDATE_LOCK_WINDOWS: 'never', UPDATE_LOCK_ADMIN_TOKEN: 'admin-token', UPDATE_LOCK_SUPERVISOR_POLL: '200ms' };
    const sidecar = await Sidecar.start({ folder, environment: { ...supervisor.environment, ...settings } });
    const before = await lockOf(sidecar);
    expect(before.window).toEqual({ open: false, opens: null, closes: null, frozen: false, timezone: 'UTC' });
    expect(before.summary).toMatch(/^Updates are held back by @window \(nobody has allowed updates\) since \d\d:\d\d UTC, and somebody has to allow them[.;]/);
    await supervisor.pushRelease();
    await sidecar.logged('update pending');
    expect((await lockOf(sidecar)).summary).toMatch(/^An update has been waiting since \d\d:\d\d UTC; it is held back by @window .*, and waits for somebody to allow it\.$/);
    const { status } = await sidecar.send('PUT', '/v1/override', { json: { updates: 'allow', for: '1h' }, headers: ADMIN });
    expect(status).toBe(200);
    await supervisor.history.next('applied');
  });

  test('the clock need not be set for that to be known', async () => {
    const folder = makeFolder();
    const clock = new FakeWallClock(folder, '1970-01-01 02:30:00');
    const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_WINDOWS: 'never', ...clock.environment } });
    expect((await lockOf(sidecar)).leases).toMatchObject([{ name: '@window', reason: 'nobody has allowed updates' }]);
  });
});

describe('boot+', () => {
  /** The time since the boot of this machine, in milliseconds. */
  const upMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

  test.each(['2030-06-03 12:00:30', '1970-01-01 00:00:30'])('it is open for that time after the boot, with the clock at %s, and closes by itself', async (at) => {
    const folder = makeFolder();
    const clock = new FakeWallClock(folder, at);
    const endsAtMs = upMs() + 5000;
    const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_WINDOWS: `boot+${String(endsAtMs)}ms`, ...clock.environment } });
    expect(await lockOf(sidecar)).toMatchObject({ state: 'free', window: { open: true, opens: null } });
    const stream = await EventStream.open(sidecar.target);
    await stream.next(({ event, data }) => event === 'lock' && data.state === 'held' && data.window.open === false);
    expect(upMs()).toBeGreaterThanOrEqual(endsAtMs);
    expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(true);
  });

  test('one that is over says that the next is after a boot', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_WINDOWS: 'boot+1s' } });
    expect((await lockOf(sidecar)).summary).toMatch(/^Updates are held back by @window \(no update window is open\) since \d\d:\d\d UTC, until the device boots again\.$/);
  });
});
