import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Caller } from '../../client/src/caller';
import { holdUntilReleased } from '../../client/src/hold-lock';
import { LockLostError, LockUnavailableError, UnreachableError, UpdateLock } from '../../client/src/index';
import { TIMING } from '../../client/src/timing';
import { Hold } from '../support/hold';
import { supervisorForces, supervisorLocks, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

function clientOf(sidecar: Sidecar): UpdateLock {
  return new UpdateLock({ url: `unix:${sidecar.socketPath}` });
}

function isLocked(sidecar: Sidecar): boolean {
  return sidecar.lockFiles.every((path) => existsSync(path));
}

async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await new Promise((resolve) => { signal.addEventListener('abort', resolve); });
  return signal.reason;
}

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

describe('a lock that is lost', () => {
  test('aborts the signal as soon as that is seen', async () => {
    const sidecar = await Sidecar.start();
    const held = await clientOf(sidecar).hold({ name: 'recorder' });
    supervisorForces(sidecar.lockFiles);
    const error = await aborted(held.signal);
    expect(error).toBeInstanceOf(LockLostError);
    expect(error).toMatchObject({ name: 'LockLostError', code: 'lost' });
    await held.release();
  });

  test('is no hold any more, whoever has ended it', async () => {
    const sidecar = await Sidecar.start();
    const held = await clientOf(sidecar).hold({ name: 'recorder' });
    await sidecar.release('recorder');
    expect(await aborted(held.signal)).toMatchObject({ name: 'LockLostError', code: 'released' });
    expect(isLocked(sidecar)).toBe(false);
  });

  test('while a routine runs does not change what the routine comes to', async () => {
    const sidecar = await Sidecar.start();
    const result = await clientOf(sidecar).hold({ name: 'recorder' }, async (signal) => {
      await sidecar.release('recorder');
      return ((await aborted(signal)) as Error).name;
    });
    expect(result).toBe('LockLostError');
  });
});

describe('a sidecar that restarts in the middle', () => {
  const GRACE = { UPDATE_LOCK_RESTART_GRACE: '2s' };

  test.each(['SIGKILL', 'SIGTERM'] as const)('after %s is found again, and the hold goes on as before', async (signal) => {
    const sidecar = await Sidecar.start();
    const held = await clientOf(sidecar).hold({ name: 'faithful', reason: 'recording' });
    await (await Hold.open(sidecar.target, 'unfaithful')).line('held');
    const { since } = held.lease;
    await sidecar.kill(signal);
    const again = await sidecar.startAgain(GRACE);
    await again.logged('lease ended', { name: 'unfaithful', ended: 'disconnected' });
    expect((await again.send('GET', '/v1/leases/faithful')).body).toMatchObject({ since, reason: 'recording' });
    expect(held.signal.aborted).toBe(false);
    await held.release();
    expect(isLocked(again)).toBe(false);
  });

  test('and again is found again, and again', async () => {
    let sidecar = await Sidecar.start();
    const held = await clientOf(sidecar).hold({ name: 'faithful' });
    for (let i = 0; i < 3; i += 1) {
      await sidecar.kill();
      sidecar = await sidecar.startAgain();
      await sidecar.logged('lease renewed', { name: 'faithful' });
    }
    expect(held.signal.aborted).toBe(false);
    await held.release();
    expect(isLocked(sidecar)).toBe(false);
  });

  test('but has lost the lock meanwhile is not asked for another', async () => {
    const sidecar = await Sidecar.start();
    const held = await clientOf(sidecar).hold({ name: 'recorder' });
    await sidecar.kill();
    for (const path of sidecar.lockFiles) unlinkSync(path);
    const again = await sidecar.startAgain({ UPDATE_LOCK_LOST_COOLDOWN: '0' });
    expect(await aborted(held.signal)).toMatchObject({ name: 'LockLostError', code: 'lost' });
    expect(isLocked(again)).toBe(false);
    await held.release();
  });

  test('but has forgotten everything is not asked for another', async () => {
    const sidecar = await Sidecar.start();
    const held = await clientOf(sidecar).hold({ name: 'recorder' });
    await sidecar.kill();
    unlinkSync(join(sidecar.directory, '.update-lock/journal'));
    const again = await sidecar.startAgain();
    expect(await aborted(held.signal)).toMatchObject({ name: 'LockLostError', code: 'lease-not-found' });
    expect(isLocked(again)).toBe(false);
  });

  test('and ends its leases when it stops has ended this one', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_ON_STOP: 'release' } });
    const held = await clientOf(sidecar).hold({ name: 'recorder' });
    await sidecar.kill('SIGTERM');
    expect(await aborted(held.signal)).toMatchObject({ name: 'LockLostError', code: 'stopped' });
  });

  test('but not in time cannot have kept the lease', async () => {
    const sidecar = await Sidecar.start();
    const caller = new Caller({ url: `unix:${sidecar.socketPath}` }, { ...TIMING, recoveryMs: 200 });
    const held = await holdUntilReleased(caller, { name: 'recorder' });
    await sidecar.kill();
    expect(await aborted(held.signal)).toMatchObject({ name: 'LockLostError', code: 'unreachable', cause: { name: 'UnreachableError' } });
  });

  test('is released from when it is back, if the hold is over by then', async () => {
    const sidecar = await Sidecar.start();
    const caller = new Caller({ url: `unix:${sidecar.socketPath}` }, { ...TIMING, patienceMs: 60_000, goodbyeMs: 60_000 });
    const held = await holdUntilReleased(caller, { name: 'recorder' });
    await sidecar.kill();
    // By now the kernel has closed the connection; so that the hold has seen it, too:
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    const releasing = held.release();
    const again = await sidecar.startAgain();
    await releasing;
    expect(isLocked(again)).toBe(false);
  });
});
