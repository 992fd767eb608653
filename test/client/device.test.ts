import { join } from 'node:path';
import { UpdateLock, type LockEvent, type Update } from '../../client/src/index';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';

/** With a stand-in of the device's Supervisor, and the updates that it has. */
afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

interface Device {
  readonly supervisor: StandInSupervisor;
  readonly sidecar: Sidecar;
  readonly lock: UpdateLock;
}

async function start(environment: Record<string, string> = {}): Promise<Device> {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], replacesForMs: 0 });
  const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_SUPERVISOR_POLL: '1s', ...supervisor.environment, ...environment } });
  return { supervisor, sidecar, lock: new UpdateLock({ url: `unix:${sidecar.socketPath}`, token: 'admin' }) };
}

test('an update that comes is told of, and goes ahead when the lock is released', async () => {
  const { supervisor, lock } = await start();
  const told: Update[] = [];
  const held = await lock.hold({ name: 'kiosk', onUpdate: (update) => { told.push(update); } });
  const waiting = lock.whenUpdatePending();
  await supervisor.pushRelease();
  expect(await waiting).toMatchObject({ supervisor: 'reachable', pending: true, blockedBy: ['kiosk'] });
  await until(() => told.length > 0);
  expect(told[0]).toMatchObject({ pending: true, blockedBy: ['kiosk'] });
  await held.release();
  await supervisor.history.next('applied');
});

test('a sidecar without a Supervisor cannot tell of updates, and says so at once', async () => {
  const sidecar = await Sidecar.start();
  const lock = new UpdateLock({ url: `unix:${sidecar.socketPath}` });
  await expect(lock.whenUpdatePending()).rejects.toMatchObject({ name: 'UpdateLockError', code: 'not-configured' });
  await expect(lock.requestUpdate()).rejects.toMatchObject({ name: 'UpdateLockError', code: 'supervisor-unavailable' });
});

test('an update by force takes the lock, for which the admin token is needed', async () => {
  const { supervisor, sidecar, lock } = await start({ UPDATE_LOCK_ADMIN_TOKEN: 'admin' });
  const held = await lock.hold({ name: 'kiosk' });
  await supervisor.pushRelease();
  await lock.whenUpdatePending();
  const withoutToken = new UpdateLock({ url: `unix:${sidecar.socketPath}` });
  await expect(withoutToken.requestUpdate({ force: true })).rejects.toMatchObject({ name: 'NotAllowedError', code: 'forbidden' });
  expect(held.signal.aborted).toBe(false);
  expect(await lock.requestUpdate({ force: true })).toMatchObject({ supervisor: 'reachable' });
  await until(() => held.signal.aborted);
  expect(held.signal.reason).toMatchObject({ name: 'LockLostError' });
});

test('events tell of everything, also after a restart of the sidecar', async () => {
  const { sidecar, lock, supervisor } = await start();
  const events = lock.events();
  const seen: LockEvent[] = [];
  const find = async (isSo: (event: LockEvent) => boolean): Promise<LockEvent> => {
    for (;;) {
      const { value, done } = await events.next();
      if (done === true) throw new Error('the events have ended');
      seen.push(value);
      if (isSo(value)) return value;
    }
  };
  await find(({ type }) => type === 'update');
  expect(seen[0]).toMatchObject({ type: 'lock', data: { snapshot: true, state: 'free' } });
  await lock.acquire({ name: 'recorder' });
  await find(({ type, data }) => type === 'lease' && data.name === 'recorder');
  await sidecar.kill();
  await sidecar.startAgain(supervisor.environment);
  await find(({ type, data }) => type === 'lock' && data.snapshot);
  await find(({ type, data }) => type === 'lease' && data.name === 'recorder');
  await lock.release('recorder');
  await find(({ type, data }) => type === 'lease' && 'ended' in data);
  await events.return?.();
});
