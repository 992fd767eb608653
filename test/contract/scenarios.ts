import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { holdsBackHost, supervisorForces, supervisorLocks, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';
import { endHolders, type ClientDriver, type Holder } from './client-driver';

/** One promise that every client keeps, seen from outside: on disk, by the lock's readers, and from what the holder was told. */
export interface Scenario {
  readonly title: string;
  readonly run: (driver: ClientDriver) => Promise<void>;
}

const TCP_WITH_TOKEN = { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_HOST: '127.0.0.1', UPDATE_LOCK_API_TOKEN: 'a-"secret"-\\token' };
const REASON = 'a "reason" with \\ & = % + \' `$(false)` and ü, ☃ and 🎉';

export const SCENARIOS: readonly Scenario[] = [
  {
    title: 'granted: the lock is held while the work goes on, and given back when it ends',
    run: async (driver) => {
      const sidecar = await Sidecar.start();
      const holder = hold(driver, sidecar, { reason: REASON });
      await holder.started();
      expectHeld(sidecar);
      expect(await leaseOf(sidecar)).toMatchObject({ name: 'recorder', reason: REASON, kind: 'connection', peer: 'unix' });
      holder.finish();
      expect(await holder.outcome()).toMatchObject({ kind: 'held' });
      await expectFree(sidecar);
      // Not "disconnected", as of one that has crashed.
      await sidecar.logged('lease ended', { name: 'recorder', ended: 'released', lock: 'released' });
    },
  },
  {
    title: 'refused while updating: the work does not begin, and the holder is told who has the lock',
    run: async (driver) => {
      const sidecar = await Sidecar.start();
      sidecar.lockFiles.forEach(supervisorLocks);
      const holder = hold(driver, sidecar, { waitSeconds: 0 });
      const { kind, code, told } = await holder.outcome();
      expect({ kind, code: code ?? 'updating', hasStarted: holder.hasStarted }).toEqual({ kind: 'refused', code: 'updating', hasStarted: false });
      expect(told).toContain('Supervisor');
      supervisorUnlocks(sidecar.lockFiles);
    },
  },
  {
    title: 'waiting then granted: the work begins when the update is over',
    run: async (driver) => {
      const sidecar = await Sidecar.start();
      sidecar.lockFiles.forEach(supervisorLocks);
      const holder = hold(driver, sidecar);
      await sidecar.logged('request waits', { name: 'recorder' });
      expect(holder.hasStarted).toBe(false);
      supervisorUnlocks(sidecar.lockFiles);
      await holder.started();
      expectHeld(sidecar);
      holder.finish();
      expect(await holder.outcome()).toMatchObject({ kind: 'held' });
      await expectFree(sidecar);
    },
  },
  {
    title: 'lost in the middle: the work is told to end, and the lock is not taken back',
    run: async (driver) => {
      const sidecar = await Sidecar.start();
      const holder = hold(driver, sidecar);
      await holder.started();
      expect(supervisorForces(sidecar.lockFiles)).toEqual([true, true]);
      // It ends without being told to finish.
      const { kind, code, told } = await holder.outcome();
      expect({ kind, code: code ?? 'lost' }).toEqual({ kind: 'lost', code: 'lost' });
      expect(told).toMatch(/lost|taken away/);
      expect((await sidecar.send('GET', '/v1/leases')).body.leases).toEqual([]);
      supervisorUnlocks(sidecar.lockFiles);
    },
  },
  {
    title: 'sidecar not up yet: it is waited for',
    run: async (driver) => {
      const folder = makeFolder();
      const holder = driver.hold({ environment: { UPDATE_LOCK_URL: `unix:${join(folder, 'update-lock.sock')}` }, name: 'recorder' });
      const sidecar = await Sidecar.start({ folder });
      await holder.started();
      expectHeld(sidecar);
      holder.finish();
      expect(await holder.outcome()).toMatchObject({ kind: 'held' });
    },
  },
  {
    title: 'sidecar not there: unreachable, once the wait is over',
    run: async (driver) => {
      const folder = makeFolder();
      const holder = driver.hold({ environment: { UPDATE_LOCK_URL: `unix:${join(folder, 'update-lock.sock')}` }, name: 'recorder', waitSeconds: 0 });
      expect(await holder.outcome()).toMatchObject({ kind: 'unreachable' });
      expect(holder.hasStarted).toBe(false);
    },
  },
  {
    title: 'sidecar restarted in the middle: the lease goes on, without the work noticing',
    run: async (driver) => {
      const sidecar = await Sidecar.start();
      const holder = hold(driver, sidecar);
      await holder.started();
      const { since } = await leaseOf(sidecar);
      await sidecar.kill();
      expectHeld(sidecar);
      const again = await sidecar.startAgain();
      expectHeld(again);
      // Without an end again: a connection holds it.
      await until(async () => (await leaseOf(again))['expires'] === null, 60_000);
      expect(await leaseOf(again)).toMatchObject({ name: 'recorder', kind: 'connection', since });
      holder.finish();
      expect(await holder.outcome()).toMatchObject({ kind: 'held' });
      await expectFree(again);
    },
  },
  {
    title: 'killed holder: the lock is given back at once',
    run: async (driver) => {
      const sidecar = await Sidecar.start();
      const holder = hold(driver, sidecar);
      await holder.started();
      const killedAtMs = performance.now();
      holder.kill();
      await sidecar.logged('lease ended', { name: 'recorder', ended: 'disconnected', lock: 'released' });
      // Not only when the next heartbeat fails to be delivered, which is 15 s after the first.
      expect(performance.now() - killedAtMs).toBeLessThan(10_000);
      await expectFree(sidecar);
    },
  },
  {
    title: 'wrong name: refused, saying what is allowed',
    run: async (driver) => {
      const sidecar = await Sidecar.start();
      const holder = hold(driver, sidecar, { name: 'no such/name?' });
      const { kind, code, told } = await holder.outcome();
      expect({ kind, code: code ?? 'invalid', hasStarted: holder.hasStarted }).toEqual({ kind: 'invalid', code: 'invalid', hasStarted: false });
      expect(told).toContain('letters');
      await expectFree(sidecar);
    },
  },
  {
    title: 'no permission: not allowed without the token, and with another; granted with it',
    run: async (driver) => {
      const sidecar = await Sidecar.start({ environment: TCP_WITH_TOKEN });
      const { port } = sidecar.tcpTarget as { port: number };
      const environment = { UPDATE_LOCK_URL: `http://127.0.0.1:${String(port)}` };
      for (const token of [{}, { UPDATE_LOCK_TOKEN: 'another' }]) {
        const holder = driver.hold({ environment: { ...environment, ...token }, name: 'recorder' });
        const { kind, code } = await holder.outcome();
        expect({ kind, code: code ?? 'unauthorized', hasStarted: holder.hasStarted }).toEqual({ kind: 'not-allowed', code: 'unauthorized', hasStarted: false });
      }
      const holder = driver.hold({ environment: { ...environment, UPDATE_LOCK_TOKEN: TCP_WITH_TOKEN.UPDATE_LOCK_API_TOKEN }, name: 'recorder' });
      await holder.started();
      expectHeld(sidecar);
      holder.finish();
      expect(await holder.outcome()).toMatchObject({ kind: 'held' });
    },
  },
];

/** Puts a client to every scenario. To be called in a test file of its own. */
export function testContract(driver: ClientDriver): void {
  describe(driver.name, () => {
    afterEach(async () => {
      await endHolders();
      await Sidecar.cleanUp();
    });

    // Some of these start two sidecars and two clients, on a machine that may be busy.
    test.each(SCENARIOS)('$title', ({ run }) => run(driver), 120_000);
  });
}

function hold(driver: ClientDriver, sidecar: Sidecar, request: { name?: string; reason?: string; waitSeconds?: number } = {}): Holder {
  return driver.hold({ environment: { UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` }, name: 'recorder', ...request });
}

async function leaseOf(sidecar: Sidecar): Promise<Record<string, unknown>> {
  return (await sidecar.send('GET', '/v1/leases/recorder')).body as Record<string, unknown>;
}

function expectHeld(sidecar: Sidecar): void {
  for (const path of sidecar.lockFiles) {
    expect(holdsBackHost(path)).toBe(true);
    expect(supervisorLocks(path)).toBe(false);
  }
}

/** A moment after the holder's end: some let go by closing their connection. */
async function expectFree(sidecar: Sidecar): Promise<void> {
  await until(() => sidecar.lockFiles.every((path) => !existsSync(path)));
}
