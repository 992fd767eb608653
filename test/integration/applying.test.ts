import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';
import { startDevice, type UpdatableDevice } from '../support/updatable-device';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

interface Mark {
  readonly applying: { readonly boot: string; readonly opensAtMs: number } | null;
}

function readMark({ folder }: Sidecar): Mark {
  return JSON.parse(readFileSync(join(folder, 'state/applying'), 'utf8')) as Mark;
}

/** An update of which the sidecar has taken note. */
async function startUpdating(settings: Readonly<Record<string, string>> = {}): Promise<UpdatableDevice> {
  const device = await startDevice({}, settings);
  await device.supervisor.pushRelease();
  await device.supervisor.replacing();
  await until(() => existsSync(join(device.sidecar.folder, 'state/applying')));
  return device;
}

test('an update that gives the lock back in the middle gets it again, and apps get it afterwards', async () => {
  const { sidecar, supervisor } = await startUpdating();
  const { locks } = supervisor.device.options;
  const waits = sidecar.put('app', { wait: '60s' });
  await sidecar.logged('request waits');
  await locks.release();
  await sidecar.logged('update may need the lock again');
  expect(await sidecar.put('other')).toMatchObject({ status: 423, body: { code: 'updating' } });
  const { body } = await sidecar.send('GET', '/v1/lock');
  expect(body).toMatchObject({ state: 'updating' });
  expect(body.summary).toBe('An update is being applied: the update may need the lock again, so no lease is granted until the Supervisor says that nothing is pending.');
  expect(await locks.take(false)).toBe(true);
  await supervisor.settle();
  expect((await waits).status).toBe(201);
  expect(readMark(sidecar).applying).toBeNull();
});

test('an attempt that comes and goes within two seconds is no update', async () => {
  const { sidecar, supervisor } = await startDevice();
  const { locks } = supervisor.device.options;
  expect(await locks.take(false)).toBe(true);
  await sidecar.logged('lock files changed owner', { from: 'free', to: 'updating' });
  await locks.release();
  await sidecar.logged('lock files changed owner', { from: 'updating', to: 'free' });
  expect((await sidecar.put('app')).status).toBe(201);
});

test('a restart of the sidecar in the middle of an update changes nothing', async () => {
  const { sidecar, supervisor, environment } = await startUpdating();
  await sidecar.kill();
  await supervisor.device.options.locks.release();
  const again = await sidecar.startAgain(environment);
  expect(await again.put('app')).toMatchObject({ status: 423, body: { code: 'updating' } });
  const waits = again.put('app', { wait: '60s' });
  await supervisor.settle();
  expect((await waits).status).toBe(201);
});

test('after a power cut in the middle of an update nobody gets the lock before it has come to its end', async () => {
  const { sidecar, supervisor, environment } = await startUpdating();
  await sidecar.kill();
  const mark = readMark(sidecar);
  expect(mark.applying).not.toBeNull();
  writeFileSync(join(sidecar.folder, 'state/applying'), JSON.stringify({ ...mark, applying: { ...mark.applying, boot: 'the boot before' } }));
  rmSync(sidecar.directory, { recursive: true });
  supervisor.answerWith(500);
  const again = await sidecar.startAgain({ ...environment, UPDATE_LOCK_HOLD_ON_START: '60s' });
  await until(() => supervisor.requests('/v1/device').length > 0);
  expect((await again.send('GET', '/v1/lock')).body).toMatchObject({ state: 'updating', leases: [] });
  expect(await again.put('app')).toMatchObject({ status: 423, body: { code: 'updating' } });
  supervisor.answerWith(undefined);
  expect(await supervisor.device.options.locks.take(false)).toBe(true);
  await supervisor.settle();
  await again.logged('lease acquired', { name: '@start' });
});

test('a Supervisor that has just booted, and does not know yet what is missing, keeps its turn', async () => {
  const { sidecar, supervisor, environment } = await startUpdating();
  await sidecar.kill();
  await supervisor.settle();
  const mark = readMark(sidecar);
  writeFileSync(join(sidecar.folder, 'state/applying'), JSON.stringify({ ...mark, applying: { ...mark.applying, boot: 'the boot before' } }));
  rmSync(sidecar.directory, { recursive: true });
  const compared = supervisor.startApplying();
  const asked = supervisor.requests('/v1/device').length;
  const again = await sidecar.startAgain({ ...environment, UPDATE_LOCK_HOLD_ON_START: '60s' });
  await until(() => supervisor.requests('/v1/device').length >= asked + 2);
  expect((await again.send('GET', '/v1/lock')).body).toMatchObject({ state: 'updating', leases: [] });
  compared();
  await again.logged('lease acquired', { name: '@start' });
});
