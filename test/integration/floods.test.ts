import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchange, send, type Target } from '../support/http';
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

const COUNT = 10;
const ALL_RENEWED = [201, ...Array<number>(COUNT).fill(200)];

/** Takes a lease of two seconds and renews it every half second, each time on a new connection: a lease that had ended would be 412. */
async function renewals(target: Target, name: string): Promise<number[]> {
  const path = `/v1/leases/${name}?ttl=2`;
  const statuses = [(await send(target, 'PUT', path)).status];
  for (let n = 0; n < COUNT; n += 1) {
    await sleep(500);
    statuses.push((await send(target, 'PUT', path, { headers: { 'If-Match': '*' } })).status);
  }
  return statuses;
}

describe.each(['connections', 'requests', 'pipeline'])('a client that floods the TCP listener with %s', (way) => {
  test('never makes another miss a renewal, over TCP or the Unix socket', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_LOG_LEVEL: 'info' } });
    await flood(way, sidecar.tcpTarget);
    const all = await Promise.all([renewals(sidecar.tcpTarget, 'recorder'), renewals(sidecar.target, 'player')]);
    expect(all).toEqual([ALL_RENEWED, ALL_RENEWED]);
  });
});

test.each(['connections', 'requests', 'pipeline'])('a client that floods the Unix socket with %s never makes another miss a renewal there', async (way) => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOG_LEVEL: 'info' } });
  await flood(way, sidecar.target);
  expect(await renewals(sidecar.target, 'recorder')).toEqual(ALL_RENEWED);
});

test('a sidecar that stood still for a moment answers all who have connected to the Unix socket meanwhile', async () => {
  const sidecar = await Sidecar.start();
  sidecar.process.kill('SIGSTOP');
  // Of more than 511 Node.js would refuse some. Each has connected when the call returns.
  const answers = Array.from({ length: 800 }, () => exchange(sidecar.target, 'GET', '/healthz'));
  sidecar.process.kill('SIGCONT');
  const statuses = await Promise.all(answers.map((answer) => answer.then(({ status }) => status, (error: unknown) => (error as NodeJS.ErrnoException).code)));
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});
