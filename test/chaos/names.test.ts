import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { NOBODY } from '../support/readers';
import { Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

const FOR_MS = 8000;

/** Root can force, as the Supervisor and Helios do; nobody can only take what is free. */
test.each([['root', 0], ['nobody', NOBODY]])('whatever the moment, no file that %s puts at a name of the lock is removed or replaced', async (_who, uid) => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOST_COOLDOWN: '0', UPDATE_LOCK_LOG_LEVEL: 'info' } });
  const script = resolve(__dirname, '../support/name-taker.cjs');
  const taker = spawn(process.execPath, [script, sidecar.directory, String(FOR_MS)], { uid, gid: uid, stdio: ['ignore', 'pipe', 'pipe'] });
  let harmed = '';
  let taken = '';
  taker.stdout.setEncoding('utf8').on('data', (chunk: string) => (harmed += chunk));
  taker.stderr.setEncoding('utf8').on('data', (chunk: string) => (taken += chunk));
  const over = once(taker, 'close');
  let granted = 0;
  while (taker.exitCode === null) {
    if ((await sidecar.put('recorder', { wait: 0 })).status === 201) granted += 1;
    await sidecar.release('recorder');
  }
  await over;
  expect(harmed).toBe('');
  // Both have had their share of the names, so they have met.
  expect(granted).toBeGreaterThan(20);
  expect(Number(taken)).toBeGreaterThan(20);
}, 60_000);
