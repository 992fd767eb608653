import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { IMAGE_OPTIONS } from '../support/image-options';
import { Sidecar } from '../support/sidecar';

const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Sidecar.cleanUp();
});

function head(fields: number, width: number, isWhole: boolean): string {
  const lines = Array.from({ length: fields }, (_, index) => `f${String(index)}: ${'v'.repeat(width)}\r\n`);
  return `GET /v1/update?wait=1h HTTP/1.1\r\nHost: x\r\n${lines.join('')}${isWhole ? '\r\n' : ''}`;
}

/** Sends it, and waits until it has been handed to the kernel, or refused. */
async function begin(to: { port: number; host: string } | { path: string }, text: string): Promise<void> {
  const socket = connect(to);
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise<void>((done) => {
    socket.once('close', () => { done(); });
    socket.write(text, () => { done(); });
  });
}

test.each<[string, string]>([
  ['many short fields', head(900, 0, true)],
  ['many fields that never end', head(900, 6, false)],
  ['as many bytes as are allowed', head(60, 180, true)],
  ['as many bytes as are allowed that never end', head(60, 180, false)],
])('a thousand requests whose heads have %s neither end the sidecar nor cost it more than their share', async (_, text) => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_LOG_LEVEL: 'info', NODE_OPTIONS: IMAGE_OPTIONS } });
  await sidecar.put('recorder', { ttl: '1h' });
  const tcp = sidecar.tcpTarget as { port: number };
  for (let round = 0; round < 10; round += 1) {
    const ends = [{ port: tcp.port, host: '127.0.0.1' }, { path: sidecar.socketPath }];
    await Promise.all(ends.flatMap((end) => Array.from({ length: 50 }, () => begin(end, text))));
    expect((await sidecar.put('recorder')).status).toBe(200);
  }
  const peakKiB = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${String(sidecar.process.pid)}/status`, 'utf8'))?.[1]);
  expect(peakKiB).toBeLessThan(160 * 1024);
}, 60_000);
