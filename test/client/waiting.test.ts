import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UpdateLock, type Waiting } from '../../client/src/index';
import { clientOf } from '../support/client';
import { supervisorLocks, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

/** Listens, and hands on what was told, one call after the other. */
class Listener {
  readonly told: Waiting[] = [];
  #wake: () => void = () => undefined;

  readonly onWaiting = (waiting: Waiting): void => {
    this.told.push(waiting);
    this.#wake();
  };

  /** Once it has been told that often. */
  async times(count: number): Promise<readonly Waiting[]> {
    while (this.told.length < count) await new Promise<void>((resolve) => { this.#wake = resolve; });
    return this.told;
  }
}

test.each(['hold', 'acquire'] as const)('%s tells what it waits for, once', async (call) => {
  const sidecar = await Sidecar.start();
  supervisorLocks(sidecar.lockFiles[0] ?? '');
  const listener = new Listener();
  const { onWaiting } = listener;
  const lock = clientOf(sidecar);
  const waiting = call === 'hold' ? lock.hold({ name: 'patient', onWaiting }) : lock.acquire({ name: 'patient', wait: '1h', onWaiting });
  expect(await listener.times(1)).toEqual([{ code: 'updating', holder: 'supervisor', message: expect.stringContaining('Supervisor') as string }]);
  // The second request waits for as long as it takes.
  await sidecar.logged('request waits', { name: 'patient' }, 2);
  supervisorUnlocks(sidecar.lockFiles.slice(0, 1));
  await waiting;
  expect(listener.told).toHaveLength(1);
});

test('what it waits for is told again when that is something else', async () => {
  const folder = makeFolder();
  const listener = new Listener();
  const holding = new UpdateLock({ url: `unix:${join(folder, 'update-lock.sock')}` }).hold({ onWaiting: listener.onWaiting });
  expect(await listener.times(1)).toMatchObject([{ code: 'unreachable', holder: undefined }]);
  const path = join(folder, 'lock/updates.lock');
  mkdirSync(join(folder, 'lock'));
  writeFileSync(path, 'somebody');
  await Sidecar.start({ folder });
  expect((await listener.times(2))[1]).toMatchObject({ code: 'foreign-lock', holder: path });
  unlinkSync(path);
  await (await holding).release();
  expect(listener.told).toHaveLength(2);
});

test('nothing is told where there is nothing to wait for', async () => {
  const sidecar = await Sidecar.start();
  const listener = new Listener();
  await clientOf(sidecar).hold({ onWaiting: listener.onWaiting }, () => undefined);
  expect(listener.told).toEqual([]);
});
