import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { holdsBackHost } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';
import { endAll, hasStarted, recipe, start } from './recipe';

const TCP = { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_HOST: '127.0.0.1' };
/** Stands for the user's work: it says when it has begun, and goes on until it is told to end. */
const WORK = '#!/bin/sh\necho started\nread -r line\nexit "${line:-0}"\n';

afterEach(async () => {
  endAll();
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

/** A folder to work in, with `work.sh`, and with `update-lock` in `bin`, as in an image. */
function workshop(): string {
  const folder = makeFolder();
  mkdirSync(join(folder, 'bin'));
  copyFileSync(resolve(__dirname, '../../client/sh/update-lock'), join(folder, 'bin/update-lock'));
  writeFileSync(join(folder, 'work.sh'), WORK);
  for (const file of ['bin/update-lock', 'work.sh']) chmodSync(join(folder, file), 0o755);
  return folder;
}

function script(folder: string, heading: string, sidecar: Sidecar): string[] {
  const { port } = sidecar.tcpTarget as { port: number };
  const path = join(folder, 'script.sh');
  writeFileSync(path, recipe(heading).replaceAll('http://update-lock:8080', `http://127.0.0.1:${String(port)}`).replace('sleep 30', 'sleep 0.1'));
  return ['sh', path];
}

describe.each([
  ['curl in a shell script', 'backup'],
  ['A long job with renewals', 'job'],
])('%s', (heading, name) => {
  test.each([['ends well', '0\n', 0], ['fails', '3\n', 3]])('holds the lock while the work goes on, which %s', async (_how, input, status) => {
    const sidecar = await Sidecar.start({ environment: TCP });
    const folder = workshop();
    const child = start(folder, script(folder, heading, sidecar));
    await hasStarted(child);
    for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
    if (name === 'job') await until(async () => (await sidecar.send('GET', '/v1/leases/job')).body.renewals > 1, 60_000);
    child.stdin?.end(input);
    expect(await once(child, 'exit')).toEqual([status, null]);
    expect((await sidecar.send('GET', `/v1/leases/${name}`)).body.ended.reason).toBe('released');
  });
});

test('A container that is never updated while it runs: signals and the exit status pass through', async () => {
  const sidecar = await Sidecar.start();
  const folder = workshop();
  const [entrypoint = [], command = []] = [...recipe('A container that is never updated while it runs').matchAll(/^(?:ENTRYPOINT|CMD) (.*)$/gm)]
    .map(([, list = '']) => JSON.parse(list) as string[]);
  for (const [signal, status] of [['SIGTERM', 143], [null, 4]] as const) {
    const child = start(folder, [...entrypoint, ...command], { UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` });
    await hasStarted(child);
    expect((await sidecar.send('GET', '/v1/leases/app')).body.kind).toBe('connection');
    if (signal === null) child.stdin?.end('4\n');
    else child.kill(signal);
    expect(await once(child, 'exit')).toEqual([status, null]);
    expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(false);
  }
});

test('Finish the work when an update waits: the update starts after the piece that is being worked on', async () => {
  const folder = workshop();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], replacesForMs: 0 });
  const sidecar = await Sidecar.start({ folder, environment: { ...TCP, ...supervisor.environment, UPDATE_LOCK_SUPERVISOR_POLL: '1s' } });
  const child = start(folder, script(folder, 'Finish the work when an update waits', sidecar), { UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` });
  await hasStarted(child);
  child.stdin?.write('0\n');
  await hasStarted(child);
  await supervisor.pushRelease();
  await sidecar.logged('update pending');
  expect(child.exitCode).toBeNull();
  child.stdin?.write('0\n');
  expect(await once(child, 'exit')).toEqual([0, null]);
  await supervisor.history.next('applied');
});
