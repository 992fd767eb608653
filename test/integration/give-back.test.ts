import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

afterEach(() => Sidecar.cleanUp());

/** As a user whom a directory's mode stops; root would not be. */
const USER = 1000;
const AS_USER = ['setpriv', `--reuid=${String(USER)}`, `--regid=${String(USER)}`, '--clear-groups'];

test('a lock file that could not be removed is removed as soon as it can be, also if requests were refused meanwhile', async () => {
  const folder = makeFolder();
  const legacy = join(folder, 'data');
  for (const path of [folder, legacy]) {
    if (path !== folder) mkdirSync(path);
    chownSync(path, USER, USER);
  }
  const legacyPath = join(legacy, 'resin-updates.lock');
  const sidecar = await Sidecar.start({ folder, wrapper: AS_USER, environment: { UPDATE_LOCK_LEGACY_PATH: legacyPath } });
  const [lockFile = ''] = sidecar.lockFiles;
  await sidecar.put('recorder');
  expect(existsSync(legacyPath)).toBe(true);

  chmodSync(legacy, 0o555);
  await sidecar.release('recorder');
  await sidecar.logged('operation failed', { operation: 'give-back' });
  expect([lockFile, legacyPath].map((path) => existsSync(path))).toEqual([false, true]);
  writeFileSync(lockFile, 'somebody else');
  expect((await sidecar.put('recorder', { wait: 0 })).body.code).toBe('foreign-lock');

  chmodSync(legacy, 0o755);
  await until(() => !existsSync(legacyPath), 30_000);
});
