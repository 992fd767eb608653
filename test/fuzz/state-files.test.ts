import fc from 'fast-check';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FUZZ_SEED, fuzzRuns, fuzzTimeoutMs } from '../support/fuzz';
import { makeFolder, Sidecar } from '../support/sidecar';
import { mutatedBytes, mutatedJson } from './mutations';

afterEach(() => Sidecar.cleanUp());

const nowMs = Date.now();
const names = { url: 'http://127.0.0.1:1', group: 'default', id: 'a-device' };
const FILES: Readonly<Record<string, unknown>> = {
  override: { version: 1, override: { updates: 'hold', reason: 'why', sinceWallMs: nowMs, untilWallMs: nowMs + 3_600_000 } },
  soak: { version: 1, soak: { commit: 'abc', sinceWallMs: nowMs, waitedMs: 5000 } },
  tags: { version: 1, tags: { windows: '02:00-04:00', hold: 'stocktaking' } },
  fleet: { version: 1, instance: 'an-instance', memory: { turn: null, asked: names, toReturn: [names] } },
  'summary-tag': { version: 1, text: 'Updates are allowed.' },
};

const mutatedFile = (right: unknown) =>
  fc.oneof(
    mutatedJson(fc.constant(right)).map((json) => Buffer.from(JSON.stringify(json))),
    mutatedBytes(fc.constant(Buffer.from(JSON.stringify(right)))),
  );

test(`whatever comes of the files in the state directory, the sidecar starts, answers and takes the lock (seed ${String(FUZZ_SEED)})`, async () => {
  const files = fc.tuple(...Object.entries(FILES).map(([name, right]) => mutatedFile(right).map((bytes): [string, Buffer] => [name, bytes])));
  await fc.assert(fc.asyncProperty(files, async (all) => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'state'));
    for (const [name, bytes] of all) writeFileSync(join(folder, 'state', name), bytes);
    const environment = {
      BALENA_SUPERVISOR_ADDRESS: 'http://127.0.0.1:1', BALENA_SUPERVISOR_API_KEY: 'key',
      UPDATE_LOCK_TAGS: 'lock', UPDATE_LOCK_SOAK: '1h', UPDATE_LOCK_FLEET_URL: names.url, UPDATE_LOCK_FLEET_ID: names.id,
    };
    const sidecar = await Sidecar.start({ folder, environment });
    for (const path of ['/v1/lock', '/v1/override', '/v1/fleet', '/v1/history', '/metrics']) expect((await sidecar.send('GET', path)).status).toBeLessThan(500);
    expect((await sidecar.put('app', { wait: 0 })).status).toBe(201);
    expect(sidecar.lockFiles.map((file) => existsSync(file))).toEqual([true, true]);
    expect(await sidecar.wholeOutput()).not.toContain('internal error');
  }), { seed: FUZZ_SEED, numRuns: fuzzRuns(5), endOnFailure: true });
}, fuzzTimeoutMs(60_000));
