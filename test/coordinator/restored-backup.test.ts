import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN_TOKEN, Coordinator } from '../support/coordinator';
import { makeFolder } from '../support/sidecar';
import { until } from '../support/until';

afterEach(() => Coordinator.cleanUp());

test('after a backup was restored nobody gets the slot of an old turn before a person has released it, and then the queue goes on', async () => {
  const folder = makeFolder();
  const [store, backup] = [join(folder, 'store'), join(folder, 'backup')];
  const settings = { COORDINATOR_STORE: `file:${store}`, COORDINATOR_STALE_AFTER: '1s' };
  const before = await Coordinator.start(settings, folder);
  expect((await before.ask('old')).status).toBe(200);
  expect((await before.ask('first')).status).toBe(423);
  cpSync(store, backup, { recursive: true });
  expect((await before.giveBack('old')).status).toBe(200);
  expect((await before.ask('first')).status).toBe(200);
  expect((await before.ask('second')).status).toBe(423);
  await before.kill();
  rmSync(store, { recursive: true });
  cpSync(backup, store, { recursive: true });

  const after = await Coordinator.start(settings, folder);
  // The turn of today is forgotten, and one of the past is back: as many as before.
  expect(await after.holders()).toEqual(['old']);
  expect((await after.ask('first')).body.kind).toBe('all_slots_full');
  expect((await after.ask('second')).body.kind).toBe('all_slots_full');
  await until(async () => (await after.group()).holders[0].stale as boolean);
  expect((await after.send('GET', '/metrics')).text).toContain('update_lock_coordinator_stale_holders{group="default"} 1\n');
  // The device whose turn was forgotten has finished meanwhile: it can give back what is not there.
  expect((await after.giveBack('first')).status).toBe(200);
  expect(await after.holders()).toEqual(['old']);
  expect((await after.send('DELETE', '/v1/groups/default/holders/old', { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } })).status).toBe(200);
  expect((await after.ask('second')).status).toBe(200);
  expect((await after.ask('first')).body.kind).toBe('all_slots_full');
});
