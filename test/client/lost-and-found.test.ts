import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Caller } from '../../client/src/caller';
import { holdUntilReleased } from '../../client/src/hold-lock';
import { LockLostError } from '../../client/src/index';
import { TIMING } from '../../client/src/timing';
import { aborted, clientOf, isLocked } from '../support/client';
import { Hold } from '../support/hold';
import { supervisorForces } from '../support/readers';
import { FakeWallClock } from '../support/fake-wall-clock';
import { makeFolder, Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

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

  test('with the wall clock set meanwhile has kept the lease', async () => {
    const folder = makeFolder();
    const clock = new FakeWallClock(folder, '2026-01-01 00:00:00');
    const sidecar = await Sidecar.start({ folder, environment: clock.environment });
    const held = await clientOf(sidecar).hold({ name: 'faithful' });
    const { id, since } = held.lease;
    await sidecar.kill();
    clock.set('2027-06-01 12:00:00');
    const again = await sidecar.startAgain(clock.environment);
    await again.logged('lease renewed', { name: 'faithful' });
    const found = (await again.send('GET', '/v1/leases/faithful')).body as { id: string; since: string };
    expect(found.id).toBe(id);
    expect(found.since).not.toBe(since);
    expect(held.signal.aborted).toBe(false);
    await held.release();
    expect(isLocked(again)).toBe(false);
  });

  test('whose lease has another holder by now has lost it, and the other keeps it', async () => {
    const sidecar = await Sidecar.start();
    const held = await clientOf(sidecar).hold({ name: 'recorder' });
    await sidecar.kill();
    const again = await sidecar.startAgain();
    await again.release('recorder');
    const other = (await again.put('recorder')).body as { id: string };
    expect(await aborted(held.signal)).toMatchObject({ name: 'LockLostError' });
    await held.release();
    expect((await again.send('GET', '/v1/leases/recorder')).body).toMatchObject({ id: other.id, renewals: 0 });
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
    const caller = new Caller({ url: `unix:${sidecar.socketPath}` }, { ...TIMING, patienceMs: 60_000, releaseMs: 60_000 });
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
