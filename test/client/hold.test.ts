import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LockUnavailableError, UnreachableError, UpdateLock } from '../../client/src/index';
import { clientOf, isLocked } from '../support/client';
import { Hold } from '../support/hold';
import { supervisorLocks, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

async function nameOfOnlyLease(sidecar: Sidecar): Promise<string> {
  const { leases } = (await sidecar.send('GET', '/v1/leases')).body as { leases: { name: string }[] };
  expect(leases).toHaveLength(1);
  return leases[0]?.name ?? '';
}

describe('with a routine', () => {
  test('the lock is held while it runs, and given back when its result is there', async () => {
    const sidecar = await Sidecar.start();
    const result = await clientOf(sidecar).hold({ name: 'recorder', reason: 'recording' }, async (signal) => {
      expect(signal.aborted).toBe(false);
      expect(isLocked(sidecar)).toBe(true);
      expect((await sidecar.send('GET', '/v1/leases/recorder')).body).toMatchObject({ kind: 'connection', reason: 'recording' });
      return 'recorded';
    });
    expect(result).toBe('recorded');
    expect(isLocked(sidecar)).toBe(false);
  });

  test.each([
    ['throws', () => { throw new RangeError('mine'); }],
    ['rejects', () => Promise.reject(new RangeError('mine'))],
  ])('its error is passed on when it %s, and the lock given back', async (_how, routine) => {
    const sidecar = await Sidecar.start();
    await expect(clientOf(sidecar).hold({}, routine)).rejects.toThrow(new RangeError('mine'));
    expect(isLocked(sidecar)).toBe(false);
  });

  test('its error is passed on even if there is nobody left to release with', async () => {
    const sidecar = await Sidecar.start();
    const failing = clientOf(sidecar).hold({}, async () => {
      await sidecar.kill();
      throw new RangeError('mine');
    });
    await expect(failing).rejects.toThrow(new RangeError('mine'));
  });

  test('it is told of an abort, and keeps the lock until it has come to an end', async () => {
    const sidecar = await Sidecar.start();
    const controller = new AbortController();
    const result = await clientOf(sidecar).hold({ signal: controller.signal }, (signal) => {
      controller.abort('enough');
      expect(signal.reason).toBe('enough');
      expect(isLocked(sidecar)).toBe(true);
      return 'tidied up';
    });
    expect(result).toBe('tidied up');
    expect(isLocked(sidecar)).toBe(false);
  });

  test('two holds of one process have names of their own', async () => {
    const sidecar = await Sidecar.start();
    const lock = clientOf(sidecar);
    await lock.hold({}, () => lock.hold({}, async () => {
      expect((await lock.leases()).map(({ name }) => name)).toHaveLength(2);
    }));
  });
});

describe('without a routine', () => {
  test('a hold lasts until it is released, as often as one likes', async () => {
    const sidecar = await Sidecar.start();
    const held = await clientOf(sidecar).hold({ name: 'recorder' });
    expect(held).toMatchObject({ name: 'recorder', lease: { name: 'recorder', kind: 'connection' } });
    expect(isLocked(sidecar)).toBe(true);
    await Promise.all([held.release(), held.release()]);
    expect(isLocked(sidecar)).toBe(false);
    expect(held.signal.aborted).toBe(false);
    await held.release();
  });

  test('it can be disposed of', async () => {
    const sidecar = await Sidecar.start();
    const held = await clientOf(sidecar).hold();
    await held[Symbol.asyncDispose]();
    expect(isLocked(sidecar)).toBe(false);
  });

  test('an abort releases it', async () => {
    const sidecar = await Sidecar.start();
    const controller = new AbortController();
    const held = await clientOf(sidecar).hold({ name: 'recorder', signal: controller.signal });
    controller.abort('enough');
    expect(held.signal.reason).toBe('enough');
    await held.release();
    expect(isLocked(sidecar)).toBe(false);
  });
});

describe('a lock that cannot be had', () => {
  test('is not waited for if that is not wanted; who has it is said', async () => {
    const sidecar = await Sidecar.start();
    supervisorLocks(sidecar.lockFiles[0] ?? '');
    const error = await clientOf(sidecar).hold({ wait: 0 }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(LockUnavailableError);
    expect(error).toMatchObject({ name: 'LockUnavailableError', code: 'updating', holder: 'supervisor' });
  });

  test('is waited for, and then held', async () => {
    const sidecar = await Sidecar.start();
    supervisorLocks(sidecar.lockFiles[0] ?? '');
    const holding = clientOf(sidecar).hold({ name: 'patient' });
    await sidecar.logged('request waits', { name: 'patient' });
    supervisorUnlocks(sidecar.lockFiles.slice(0, 1));
    await (await holding).release();
  });

  test('is waited for over a restart of the sidecar', async () => {
    const sidecar = await Sidecar.start();
    supervisorLocks(sidecar.lockFiles[0] ?? '');
    const holding = clientOf(sidecar).hold({ name: 'patient' });
    await sidecar.logged('request waits', { name: 'patient' });
    await sidecar.kill('SIGTERM');
    const again = await sidecar.startAgain();
    await again.logged('request waits', { name: 'patient' });
    supervisorUnlocks(sidecar.lockFiles.slice(0, 1));
    await (await holding).release();
    expect(isLocked(again)).toBe(false);
  });

  test('is not had by somebody who has stopped waiting', async () => {
    const sidecar = await Sidecar.start();
    writeFileSync(sidecar.lockFiles[0] ?? '', 'mine');
    const controller = new AbortController();
    const holding = clientOf(sidecar).hold({ name: 'impatient', signal: controller.signal });
    await sidecar.logged('request waits', { name: 'impatient' });
    controller.abort(new RangeError('enough'));
    await expect(holding).rejects.toThrow(new RangeError('enough'));
    await sidecar.logged('request dropped: its client has gone', { name: 'impatient' });
    unlinkSync(sidecar.lockFiles[0] ?? '');
    expect((await sidecar.send('GET', '/v1/leases/impatient')).status).toBe(404);
  });

  test('is not asked for by somebody who never wanted to wait', async () => {
    const sidecar = await Sidecar.start();
    await expect(clientOf(sidecar).hold({ signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
    expect(isLocked(sidecar)).toBe(false);
  });

  test('because its name is in use is refused at once', async () => {
    const sidecar = await Sidecar.start();
    await (await Hold.open(sidecar.target, 'recorder')).line('held');
    await expect(clientOf(sidecar).hold({ name: 'recorder' })).rejects.toMatchObject({ name: 'LockUnavailableError', code: 'name-in-use', holder: 'recorder' });
  });
});

describe('a sidecar that is not there', () => {
  test('is waited for', async () => {
    const folder = makeFolder();
    const holding = new UpdateLock({ url: `unix:${join(folder, 'update-lock.sock')}` }).hold({ name: 'early' });
    const sidecar = await Sidecar.start({ folder });
    const held = await holding;
    expect(await nameOfOnlyLease(sidecar)).toBe('early');
    await held.release();
  });

  test('is not waited for longer than wanted', async () => {
    const lock = new UpdateLock({ url: `unix:${join(makeFolder(), 'nobody.sock')}` });
    for (const wait of [0, '100ms']) {
      const error = await lock.hold({ wait }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(UnreachableError);
      expect(error).toMatchObject({ code: 'unreachable', cause: { code: 'ENOENT' } });
    }
  });

  test('is not waited for after an abort', async () => {
    const controller = new AbortController();
    const holding = new UpdateLock({ url: 'http://127.0.0.1:1' }).hold({ signal: controller.signal });
    controller.abort('enough');
    await expect(holding).rejects.toBe('enough');
  });
});
