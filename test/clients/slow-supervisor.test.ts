import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';

const CLIENT = resolve(__dirname, '../../client');
const PYTHON = `
import sys
from update_lock import UpdateLock
sys.exit(75 if UpdateLock().wait_for_update(1) is None else 0)
`;

let environment: Record<string, string>;
beforeAll(async () => {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  supervisor.answerWith('hang');
  const sidecar = await Sidecar.start({ folder, environment: supervisor.environment });
  environment = { PATH: process.env['PATH'] ?? '', UPDATE_LOCK_URL: `unix:${sidecar.socketPath}`, PYTHONPATH: join(CLIENT, 'python'), PYTHONDONTWRITEBYTECODE: '1' };
});
afterAll(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

test.each<[string, readonly string[]]>([
  ['command', [process.execPath, join(CLIENT, 'dist/cli.cjs'), 'wait-update', '--timeout', '1s']],
  ['shell script', ['sh', join(CLIENT, 'sh/update-lock'), 'wait-update', '--timeout', '1s']],
  ['Python module', ['python3', '-c', PYTHON]],
])('the %s waits for an update no longer than wanted, though the Supervisor does not answer', async (_client, [command = '', ...args]) => {
  const startedMs = Date.now();
  const child = spawn(command, args, { env: environment, stdio: 'ignore' });
  expect((await once(child, 'exit'))[0]).toBe(75);
  const tookMs = Date.now() - startedMs;
  expect(tookMs).toBeGreaterThanOrEqual(900);
  // A question to such a Supervisor takes 8 s.
  expect(tookMs).toBeLessThan(6000);
});
