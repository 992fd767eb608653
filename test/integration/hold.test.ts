import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { Hold } from '../support/hold';
import { Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

const TCP = { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_HOST: '127.0.0.1' };

describe.each(['the Unix socket', 'TCP'])('a hold over %s', (listener) => {
  async function start(): Promise<{ sidecar: Sidecar; target: Sidecar['target'] }> {
    const sidecar = await Sidecar.start({ environment: TCP });
    return { sidecar, target: listener === 'TCP' ? sidecar.tcpTarget : sidecar.target };
  }

  test('says that it is held, and is a lease without an end', async () => {
    const { sidecar, target } = await start();
    const hold = await Hold.open(target, 'recorder', '?reason=recording');
    const { lease } = await hold.line('held');
    expect(lease).toMatchObject({ name: 'recorder', reason: 'recording', kind: 'connection', expires: null, ttlSeconds: null, remainingSeconds: null, renewals: 0 });
    expect(lease.peer).toBe(listener === 'TCP' ? '127.0.0.1' : 'unix');
    expect((await sidecar.send('GET', '/v1/leases/recorder')).body).toMatchObject({ kind: 'connection' });
    expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(true);
  });

  test('ends when the client closes the connection', async () => {
    const { sidecar, target } = await start();
    const hold = await Hold.open(target, 'recorder');
    await hold.line('held');
    hold.close();
    await sidecar.logged('lease ended', { ended: 'disconnected', lock: 'released' });
    expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(false);
    expect((await sidecar.send('GET', '/v1/leases/recorder')).body.ended.reason).toBe('disconnected');
  });

  test('ends when the client is killed', async () => {
    const { sidecar, target } = await start();
    const where = 'socketPath' in target ? ['--unix-socket', target.socketPath, 'http://localhost'] : [`http://127.0.0.1:${String(target.port)}`];
    const url = where.pop() ?? '';
    const client = spawn('curl', ['-sN', ...where, '-X', 'POST', `${url}/v1/leases/recorder/hold`], { stdio: 'ignore' });
    await sidecar.logged('lease acquired', { name: 'recorder' });
    client.kill('SIGKILL');
    await sidecar.logged('lease ended', { ended: 'disconnected', lock: 'released' });
  });

  test('ends when the client closes only its sending side, or resets the connection', async () => {
    const { sidecar, target } = await start();
    for (const [name, leave] of [['half', 'end'], ['reset', 'resetAndDestroy']] as const) {
      const socket = connect('socketPath' in target ? { path: target.socketPath } : target);
      socket.on('error', () => undefined);
      socket.write(`POST /v1/leases/${name}/hold HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await sidecar.logged('lease acquired', { name });
      if (leave === 'end' || listener !== 'TCP') socket.end();
      else socket.resetAndDestroy();
      await sidecar.logged('lease ended', { name, ended: 'disconnected' });
    }
  });

  test('ends when anything else is sent on its connection', async () => {
    const { sidecar, target } = await start();
    const socket = connect('socketPath' in target ? { path: target.socketPath } : target);
    socket.on('error', () => undefined);
    socket.write('POST /v1/leases/recorder/hold HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await sidecar.logged('lease acquired', { name: 'recorder' });
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await sidecar.logged('lease ended', { ended: 'disconnected' });
  });
});

test('a client that does not read neither loses its lease nor grows the memory of the sidecar', async () => {
  const sidecar = await Sidecar.start();
  const socket = connect({ path: sidecar.socketPath });
  socket.write('POST /v1/leases/deaf/hold HTTP/1.1\r\nHost: localhost\r\n\r\n');
  socket.pause();
  await sidecar.logged('lease acquired', { name: 'deaf' });
  expect((await sidecar.send('GET', '/v1/leases/deaf')).status).toBe(200);
  // It is told of its end, does not hear it, and is let go of all the same.
  await sidecar.release('deaf');
  await new Promise((resolve) => socket.once('close', resolve).resume());
});

test('a thousand holds come and go without a trace', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_MAX_LEASES: '2000' } });
  const holds: Hold[] = [];
  for (let i = 0; i < 900; i += 1) holds.push(await Hold.open(sidecar.target, `hold-${String(i)}`));
  expect((await sidecar.send('GET', '/v1/leases')).body.leases).toHaveLength(900);
  for (const hold of holds) hold.close();
  for (;;) if (((await sidecar.send('GET', '/v1/leases')).body.leases as unknown[]).length === 0) break;
  expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(false);
});
