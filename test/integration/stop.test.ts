import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { Hold } from '../support/hold';
import { holdsBackHost, supervisorLocks } from '../support/readers';
import { guardsIn, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

afterEach(() => Sidecar.cleanUp());

test('a stop leaves the lock for the leases still live, to be recovered', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder', { ttl: 600 });
  const hold = await Hold.open(sidecar.target, 'held');
  await hold.line('held');
  expect(await sidecar.kill('SIGTERM')).toBe(0);
  await hold.ended();
  // Its lease has not ended, so it is not told that it has.
  expect(hold.lines.map(({ event }) => event as string)).toEqual(['held']);
  const message = 'stopping: the lock stays on disk for the leases that are live';
  const log = await sidecar.wholeLog();
  expect(log.filter((line) => line['message'] === message)).toMatchObject([{ holders: ['recorder', 'held'], paths: sidecar.lockFiles, detail: expect.stringContaining('UPDATE_LOCK_ON_STOP') as string }]);
  for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
  const again = await sidecar.startAgain();
  expect((await again.send('GET', '/v1/leases')).body.leases).toMatchObject([{ name: 'recorder' }, { name: 'held' }]);
});

test('a stop can end the leases instead, and tells their holders', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_ON_STOP: 'release' } });
  await sidecar.put('recorder', { ttl: 600 });
  const hold = await Hold.open(sidecar.target, 'held');
  await hold.line('held');
  expect(await sidecar.kill('SIGTERM')).toBe(0);
  await hold.ended();
  expect(hold.lines.at(-1)).toMatchObject({ event: 'ended', lease: { ended: { reason: 'stopped' } } });
  expect(sidecar.lockFiles.filter((path) => existsSync(path))).toEqual([]);
  expect((await sidecar.wholeLog()).filter((line) => String(line['message']).startsWith('stopping'))).toEqual([]);
  await until(() => guardsIn(sidecar.folder).length === 0);
  const again = await sidecar.startAgain();
  expect((await again.send('GET', '/v1/leases/recorder')).body.ended.reason).toBe('stopped');
});

test('a stop refuses those who wait, and leaves nothing behind', async () => {
  const sidecar = await Sidecar.start();
  sidecar.lockFiles.forEach(supervisorLocks);
  const waiting = sidecar.put('recorder', { wait: 60 });
  await sidecar.logged('request waits', { name: 'recorder' });
  expect(await sidecar.kill('SIGTERM')).toBe(0);
  expect((await waiting).body).toMatchObject({ status: 503, code: 'stopping' });
  expect(existsSync(sidecar.socketPath)).toBe(false);
  await until(() => guardsIn(sidecar.folder).length === 0);
});

test('a stop takes less than 5 s even if a client sends its request for ever', async () => {
  const sidecar = await Sidecar.start();
  const client = connect(sidecar.socketPath).on('error', () => undefined);
  await once(client, 'connect');
  client.write('PUT /v1/leases/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n');
  const hold = await Hold.open(sidecar.target, 'held');
  await hold.line('held');
  const startedMs = performance.now();
  expect(await sidecar.kill('SIGTERM')).toBe(0);
  expect(performance.now() - startedMs).toBeLessThan(5000);
  client.destroy();
});

test.each(['SIGTERM', 'SIGINT'] as const)('a second %s ends it at once', async (signal) => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  sidecar.process.kill('SIGSTOP');
  sidecar.process.kill(signal);
  sidecar.process.kill(signal);
  sidecar.process.kill('SIGCONT');
  expect([0, 1]).toContain(await sidecar.exited());
  expect(holdsBackHost(sidecar.lockFiles[0] ?? '')).toBe(true);
});
