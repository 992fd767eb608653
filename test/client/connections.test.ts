import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:tls';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { UpdateLock } from '../../client/src/index';
import { RequestCounter } from '../support/request-counter';
import { answer, jsonAnswer, ScriptedServer } from '../support/scripted-server';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

afterEach(async () => {
  await Sidecar.cleanUp();
  await ScriptedServer.cleanUp();
});

const LEASE = { id: 'ours', name: 'recorder', reason: '', kind: 'timed', since: '2026-01-01T00:00:00.000Z', expires: null, ttlSeconds: 300, remainingSeconds: 300, renewals: 0, peer: 'unix' };

test('requests one after another go on one connection', async () => {
  const sidecar = await Sidecar.start();
  const counter = new RequestCounter();
  const lock = new UpdateLock({ url: await counter.start(sidecar.socketPath) });
  for (let i = 0; i < 5; i += 1) {
    await lock.acquire({ name: 'recorder' });
    await lock.renew('recorder');
    await lock.release('recorder');
  }
  expect(counter.requests).toHaveLength(15);
  expect(counter.connections).toBe(1);
  await sidecar.kill();
  await counter.stop();
});

describe('a connection that the sidecar closes', () => {
  test('between two requests is replaced', async () => {
    const server = await ScriptedServer.start(({ socket }) => socket.write(jsonAnswer(LEASE)));
    const lock = new UpdateLock({ url: server.url });
    await lock.acquire({ name: 'recorder' });
    server.requests[0]?.socket.end();
    await until(() => server.openConnections === 0);
    await lock.renew('recorder');
    expect(server.requests).toHaveLength(2);
  });

  test.each<[string, (lock: UpdateLock) => Promise<unknown>]>([
    ['PUT', (lock) => lock.acquire({ name: 'recorder', wait: 0 })],
    ['DELETE', (lock) => lock.release('recorder')],
    ['GET', (lock) => lock.leases()],
  ])('just when a %s is sent on it has done no harm', async (method, ask) => {
    const used = new Set<Socket>();
    const server = await ScriptedServer.start(({ socket }) => {
      if (used.has(socket)) socket.destroy();
      else socket.write(jsonAnswer({ ...LEASE, leases: [] }));
      used.add(socket);
    });
    const lock = new UpdateLock({ url: server.url });
    await lock.acquire({ name: 'recorder' });
    await ask(lock);
    // On the kept connection, and once more on a new one.
    expect(server.requests.map((request) => request.method)).toEqual(['PUT', method, method]);
    expect(used.size).toBe(2);
  });

  test('before it has answered anything is no kept one: that is not tried again', async () => {
    const server = await ScriptedServer.start(({ socket }) => { socket.destroy(); });
    await expect(new UpdateLock({ url: server.url }).acquire({ name: 'recorder', wait: 0 })).rejects.toMatchObject({ name: 'UnreachableError' });
    expect(server.requests).toHaveLength(1);
  });

  test('is not used for what must not arrive twice', async () => {
    const sockets: Socket[] = [];
    const server = await ScriptedServer.start(({ socket }) => {
      sockets.push(socket);
      socket.write(jsonAnswer({ ...LEASE, pending: false }));
    });
    const lock = new UpdateLock({ url: server.url });
    await lock.acquire({ name: 'recorder' });
    await lock.requestUpdate();
    await lock.renew('recorder');
    expect(sockets[1]).not.toBe(sockets[0]);
    expect(sockets[2]).toBe(sockets[0]);
  });
});

test('an answer in many chunks after an interim one is read as one', async () => {
  const body = JSON.stringify({ ...LEASE, reason: 'a ☃ b' });
  const bytes = Buffer.from(`HTTP/1.1 103 Early Hints\r\n\r\n${answer(200, 'application/json', body)}`);
  const server = await ScriptedServer.start(({ socket }) => {
    const write = (at: number): void => {
      if (at < bytes.length) socket.write(bytes.subarray(at, at + 1), () => setImmediate(write, at + 1));
    };
    write(0);
  });
  expect(await new UpdateLock({ url: server.url }).acquire({ name: 'recorder' })).toMatchObject({ reason: 'a ☃ b' });
});

test('HTTPS works, with a certificate from NODE_EXTRA_CA_CERTS', async () => {
  const folder = makeFolder();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'pipe' });
  const sidecar = await Sidecar.start();
  // A proxy that ends TLS, as there may be one in front of the sidecar.
  const proxy = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert), allowHalfOpen: true }, (client) => {
    const plain = connect({ path: sidecar.socketPath, allowHalfOpen: true });
    for (const socket of [client, plain]) socket.on('error', () => { client.destroy(); plain.destroy(); });
    client.pipe(plain).pipe(client);
  });
  await once(proxy.listen(0, 'localhost'), 'listening');
  const program = `import { UpdateLock } from ${JSON.stringify(resolve(__dirname, '../../client/dist/index.mjs'))};
    const lock = new UpdateLock();
    await lock.acquire({ name: 'recorder' });
    await lock.release('recorder');
    await lock.hold({ name: 'holder' }, async () => console.log((await lock.leases()).map(({ name }) => name).join()));
    console.log((await lock.status()).state);
    for await (const { type } of lock.events()) { console.log(type); break; }
  `;
  const run = async (environment: Record<string, string>): Promise<{ status: unknown; stdout: string; stderr: string }> => {
    const env = { PATH: process.env['PATH'], UPDATE_LOCK_URL: `https://localhost:${String((proxy.address() as AddressInfo).port)}`, ...environment };
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { env });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (chunk: string) => (output[stream] += chunk));
    const [status] = await once(child, 'close');
    return { status, ...output };
  };
  expect(await run({ NODE_EXTRA_CA_CERTS: cert })).toEqual({ status: 0, stdout: 'holder\nfree\nlock\n', stderr: '' });
  expect(await run({})).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('self-signed certificate') as string });
  proxy.close();
});
