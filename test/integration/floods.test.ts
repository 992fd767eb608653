import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { send, type Target } from '../support/http';
import { Sidecar } from '../support/sidecar';

const flooders: ChildProcess[] = [];

afterEach(async () => {
  for (const flooder of flooders.splice(0)) flooder.kill('SIGKILL');
  await Sidecar.cleanUp();
});

/** A client in a process of its own that has begun to do its worst. */
async function flood(way: string, target: Target): Promise<void> {
  const where = 'port' in target ? String(target.port) : target.socketPath;
  const flooder = spawn(process.execPath, [resolve(__dirname, '../support/flooder.mjs'), way, where], { stdio: ['ignore', 'pipe', 'inherit'] });
  flooders.push(flooder);
  await once(flooder.stdout, 'data');
}

/** Renews a lease of two seconds every half second, each time on a new connection: a lease that had ended would be 412. */
async function renewals(target: Target, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < count; n += 1) {
    await sleep(500);
    statuses.push((await send(target, 'PUT', '/v1/leases/recorder?ttl=2', { headers: { 'If-Match': '*' } })).status);
  }
  return statuses;
}

describe.each(['connections', 'requests', 'pipeline'])('a client that floods the TCP listener with %s', (way) => {
  test('never makes another miss a renewal, over TCP or the Unix socket', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_LOG_LEVEL: 'info' } });
    await flood(way, sidecar.tcpTarget);
    for (const target of [sidecar.tcpTarget, sidecar.target]) {
      await send(target, 'PUT', '/v1/leases/recorder?ttl=2');
      expect(await renewals(target, 10)).toEqual(Array(10).fill(200));
    }
  });
});

test.each(['connections', 'requests', 'pipeline'])('a client that floods the Unix socket with %s never makes another miss a renewal there', async (way) => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOG_LEVEL: 'info' } });
  await flood(way, sidecar.target);
  await sidecar.put('recorder', { ttl: 2 });
  expect(await renewals(sidecar.target, 10)).toEqual(Array(10).fill(200));
});
