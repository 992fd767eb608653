import { execFile } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder, Sidecar } from '../support/sidecar';

const CLIENT = resolve(__dirname, '../../client/python');
const run = promisify(execFile);

afterEach(() => Sidecar.cleanUp());

test('its own tests pass', async () => {
  const sidecar = await Sidecar.start();
  const environment = { ...process.env, PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1', UPDATE_LOCK_URL: `unix:${sidecar.socketPath}`, LOCK_FILE: sidecar.lockFiles[0] };
  const { stderr } = await run('python3', ['-W', 'error', join(__dirname, 'python/test_update_lock.py')], { env: environment });
  expect(stderr).toContain('\nOK');
}, 120_000);

test('pip installs it, with its types, without a network', async () => {
  const folder = makeFolder();
  cpSync(CLIENT, join(folder, 'source'), { recursive: true });
  const target = join(folder, 'target');
  await run('pip3', ['install', '--no-index', '--no-deps', '--disable-pip-version-check', '--target', target, join(folder, 'source')]);
  expect(readFileSync(join(target, 'update_lock/__init__.py'), 'utf8')).toBe(readFileSync(join(CLIENT, 'update_lock.py'), 'utf8'));
  expect(existsSync(join(target, 'update_lock/py.typed'))).toBe(true);
  const { stdout } = await run('python3', ['-c', 'import update_lock; print(update_lock.__version__)'], { env: { ...process.env, PYTHONPATH: target } });
  const { version } = JSON.parse(readFileSync(resolve(__dirname, '../../package.json'), 'utf8')) as { version: string };
  expect(stdout).toBe(`${version}\n`);
}, 120_000);
