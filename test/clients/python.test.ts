import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { endHolders, libraryDriver } from '../contract/client-driver';
import { FakeWallClock } from '../support/fake-wall-clock';
import { jsonAnswer, ScriptedServer, streamHead } from '../support/scripted-server';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

const CLIENT = resolve(__dirname, '../../client/python');
const HOLDER = ['python3', resolve(__dirname, '../contract/holder.py')];
const run = promisify(execFile);

afterEach(async () => {
  await endHolders();
  await Sidecar.cleanUp();
  await ScriptedServer.cleanUp();
});

// Side by side, since most of their time goes by in waiting.
test('its own tests pass', async () => {
  const files = readdirSync(join(__dirname, 'python')).filter((name) => /^test_.*\.py$/.test(name));
  expect(files.length).toBeGreaterThan(0);
  await Promise.all(files.map(async (file) => {
    const sidecar = await Sidecar.start();
    const environment = { ...process.env, PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1', UPDATE_LOCK_URL: `unix:${sidecar.socketPath}`, LOCK_FILE: sidecar.lockFiles[0] };
    const { stderr } = await run('python3', ['-W', 'error', join(__dirname, 'python', file)], { env: environment });
    expect(stderr).toContain('\nOK');
  }));
}, 120_000);

test('a lease whose connection comes back just while it is released is not taken for lost', async () => {
  const lease = { id: 'b7f3', name: 'recorder', kind: 'connection', since: '2026-01-01T00:00:00.000Z' };
  const held = `${streamHead('application/x-ndjson')}${JSON.stringify({ event: 'held', lease })}\n`;
  let takenUp: Socket | undefined;
  const server = await ScriptedServer.start(({ method, headers, socket }) => {
    if (method === 'DELETE') {
      // Now the connection comes back, and as the sidecar does, the lease ends with that connection or by the request.
      let isDisconnected = false;
      takenUp?.once('end', () => { isDisconnected = true; });
      takenUp?.write(held);
      setTimeout(() => {
        const gone = { code: 'precondition-failed', detail: 'It has ended.', ended: { reason: 'disconnected', at: '2026-01-01T00:00:01.000Z' } };
        socket.end(isDisconnected ? jsonAnswer(gone, 412) : jsonAnswer(lease));
      }, 500);
    } else if (headers['if-match'] === undefined) socket.end(held);
    else takenUp = socket;
  });
  const holder = libraryDriver('the Python module', HOLDER).hold({ environment: { UPDATE_LOCK_URL: server.url }, name: 'recorder' });
  await holder.started();
  await until(() => takenUp !== undefined);
  holder.finish();
  expect(await holder.outcome()).toMatchObject({ kind: 'held' });
});

test('a lease outlives a restart of the sidecar during which the clock was set', async () => {
  const folder = makeFolder();
  const clock = new FakeWallClock(folder, '2026-11-26 10:00:00');
  const sidecar = await Sidecar.start({ folder, environment: clock.environment });
  const holder = libraryDriver('the Python module', HOLDER).hold({ environment: { UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` }, name: 'recorder' });
  await holder.started();
  const { body: before } = await sidecar.send('GET', '/v1/leases/recorder');
  await sidecar.kill();
  clock.set('2027-02-03 04:05:06');
  const again = await sidecar.startAgain(clock.environment);
  // Without an end again: a connection holds it.
  await until(async () => (await again.send('GET', '/v1/leases/recorder')).body.expires === null, 60_000);
  const { body: after } = await again.send('GET', '/v1/leases/recorder');
  expect(after.id).toBe(before.id);
  expect(after.since).not.toBe(before.since);
  holder.finish();
  expect(await holder.outcome()).toMatchObject({ kind: 'held' });
}, 120_000);
