import { supervisorLocks, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until, untilPast } from '../support/until';
import { startWaiting } from '../support/updatable-device';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

interface Entry {
  readonly at: string;
  readonly event: string;
  readonly name: string | null;
  readonly detail: string;
}

async function history(sidecar: Sidecar): Promise<Entry[]> {
  return (await sidecar.send('GET', '/v1/history')).body.events as Entry[];
}

/** The oldest first, which is easier to read in a test. */
async function events(sidecar: Sidecar): Promise<string[]> {
  return (await history(sidecar)).map(({ event, name }) => (name === null ? event : `${name} ${event}`)).reverse();
}

function expectLatestFirst(entries: readonly Entry[]): void {
  const times = entries.map(({ at }) => Date.parse(at));
  expect(times).toEqual([...times].sort((one, other) => other - one));
}

test('an update by force is told of from beginning to end', async () => {
  const { sidecar, supervisor } = await startWaiting({ replacesForMs: 300 }, { UPDATE_LOCK_ADMIN_TOKEN: 'admin' });
  await sidecar.send('POST', '/v1/update', { json: { force: true }, headers: { Authorization: 'Bearer admin' } });
  await supervisor.history.next('applied');
  let told: string[] = [];
  await until(async () => {
    told = await events(sidecar);
    return told.includes('free') && told.includes('update-over');
  });
  expect(told.slice(0, 4)).toEqual(['started', 'app acquired', 'update-waits', 'update-forced']);
  for (const event of ['app lost', 'lock-lost', 'updating']) expect(told).toContain(event);
  const order = ['app lost', 'lock-lost', 'updating', 'free'].map((event) => told.indexOf(event));
  expect(order).toEqual([...order].sort((one, other) => one - other));
  expect((await history(sidecar)).find(({ event }) => event === 'update-forced')?.detail).toBe('held by app');
});

test('after a restart it begins with what was kept, and with what ended meanwhile, in that order', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('kept', { ttl: '1h', reason: 'a long job' });
  const { body } = await sidecar.put('short', { ttl: '1s' });
  await sidecar.kill();
  await untilPast(body.expires);
  const again = await sidecar.startAgain({ UPDATE_LOCK_RESTART_GRACE: '0s' });
  const entries = await history(again);
  expectLatestFirst(entries);
  expect(await events(again)).toEqual(['short expired', 'started', 'kept recovered']);
  expect(entries[0]?.detail).toBe('a long job');
});

test('an update that is being applied at the start is told of, also where a socket was left behind', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.kill();
  expect(supervisorLocks(sidecar.lockFiles[0] ?? '')).toBe(true);
  const again = await sidecar.startAgain();
  await until(async () => (await events(again)).includes('updating'));
  supervisorUnlocks([sidecar.lockFiles[0] ?? '']);
  await until(async () => (await events(again)).includes('free'));
  expect(await events(again)).toEqual(['started', 'updating', 'free']);
});

test('a lease that was taken before all else comes after the start', async () => {
  const sidecar = await Sidecar.start({ folder: makeFolder(), environment: { UPDATE_LOCK_HOLD_ON_START: '1h' } });
  expectLatestFirst(await history(sidecar));
  expect(await events(sidecar)).toEqual(['started', '@start acquired']);
});
