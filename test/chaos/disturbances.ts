import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Device } from './device';
import type { Reader } from './reader';

/** Something that goes wrong, and is over when the promise is fulfilled. */
export type Disturbance = () => Promise<void>;

const SUPPORT = resolve(__dirname, '../support');
const DAY_SECONDS = 86_400;

/** What goes wrong with the sidecar or its surroundings, one at a time. */
export function sidecarDisturbances(device: Device, random: () => number): Readonly<Record<string, Disturbance>> {
  const portOf = (): string => String((device.tcp as { port: number }).port);
  return {
    'kill -9': () => device.restart('SIGKILL', random() * 500),
    'kill -9 while it starts': async () => {
      await device.restart('SIGKILL', 0);
      await sleep(random() * 300);
      await device.restart('SIGKILL', 0);
    },
    'restart': () => device.restart('SIGTERM', random() * 500),
    'SIGSTOP': () => device.stopFor(random() * 2000),
    'clock jump': async () => {
      device.setClock(Math.round((random() - 0.5) * 2 * DAY_SECONDS * 10 ** (random() * 4 - 3)));
      await sleep(random() * 500);
    },
    'full disk': async () => {
      device.disk.fill();
      await sleep(random() * 1000);
      if (random() < 0.5) await device.restart('SIGKILL', 0);
      await sleep(random() * 1500);
      device.disk.makeRoom();
    },
    'flood': async () => {
      const way = random() < 0.5 ? 'connections' : 'pipeline';
      await whileRunning([process.execPath, resolve(SUPPORT, 'flooder.mjs'), way, random() < 0.5 ? portOf() : device.sidecar.socketPath], random() * 1000);
    },
    'readers that do not read': () => whileRunning(
      ['python3', resolve(SUPPORT, 'unread.py'), random() < 0.5 ? portOf() : device.sidecar.socketPath, '50', '/v1/events', '/v1/lock', '/metrics'],
      random() * 2000,
    ),
    'slow and broken requests': () => brokenRequests(device, random),
  };
}

/** What the Supervisor does, beside whatever happens to the sidecar. */
export function force(supervisor: Reader, random: () => number): Promise<void> {
  return supervisor.force(random() < 0.3 ? 0 : random());
}

/** Runs a program that does its worst, and says on its output when it has begun. */
async function whileRunning([file = '', ...args]: readonly string[], ms: number): Promise<void> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const closed = once(child, 'close');
  // It may never get so far, while the sidecar is away.
  await Promise.race([once(child.stdout, 'data'), closed, sleep(2000)]);
  await sleep(ms);
  child.kill('SIGKILL');
  await closed;
}

const BROKEN = [
  'PUT /v1/leases/half HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"ttl":',
  'POST /v1/leases/half/hold HTTP/1.1\r\nHost: x\r\nX: ',
  'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n\0\u00ff\u00fe',
  'DELETE /v1/leases/%00%ff HTTP/1.1\r\nHost: x\r\n\r\n',
  `PUT /v1/leases/half?ttl=1e999 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`,
  '\r\n'.repeat(1000),
];

/** Requests of which only a part is sent, byte by byte at the end, and garbage. */
async function brokenRequests(device: Device, random: () => number): Promise<void> {
  const sockets = Array.from({ length: 30 }, (_, index) => {
    const target = (index % 2 === 0 ? { path: device.sidecar.socketPath } : device.tcp) as NetConnectOpts;
    const socket = connect(target).on('error', () => undefined);
    socket.write(BROKEN[index % BROKEN.length] ?? '', 'latin1');
    return socket;
  });
  for (let bytes = 0; bytes < 10; bytes += 1) {
    await sleep(random() * 200);
    for (const socket of sockets) socket.write('x');
  }
  for (const socket of sockets) socket.destroy();
}
