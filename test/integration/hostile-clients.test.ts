import { execFile } from 'node:child_process';
import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { RawConnection } from '../conformance/raw';
import { holdsBackHost } from '../support/readers';
import { guardsIn, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

afterEach(() => Sidecar.cleanUp());

function residentKiB(sidecar: Sidecar): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(sidecar.process.pid)}/status`, 'utf8'))?.[1]);
}

describe('a connection that sends thousands of requests without waiting for answers', () => {
  const WAYS: [string, string][] = [
    ['that wait', 'PUT /v1/leases/flood?wait=3600 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['that wait, with bodies', 'PUT /v1/leases/flood HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"wait":3600}'],
    ['that are answered', 'GET /v1/lock HTTP/1.1\r\nHost: x\r\n\r\n'],
  ];

  test.each(WAYS)('%s neither stops nor fattens the sidecar', async (_how, request) => {
    const sidecar = await Sidecar.start();
    const [path = ''] = sidecar.lockFiles;
    writeFileSync(path, 'foreign');
    const before = residentKiB(sidecar);
    const connection = new RawConnection(sidecar.target).write(request.repeat(5000));
    await connection.first(1);
    expect((await sidecar.send('GET', '/healthz')).status).toBe(200);
    expect(residentKiB(sidecar) - before).toBeLessThan(100 * 1024);
    connection.close();
    unlinkSync(path);
    await until(async () => (await sidecar.put('recorder', { wait: 0 })).status === 201);
    const { body } = await sidecar.send('GET', '/v1/leases');
    expect((body.leases as { name: string }[]).map(({ name }) => name)).toEqual(['recorder']);
  });
});

/** A request whose last byte is still to come; its connection has been accepted. */
async function begin(sidecar: Sidecar, method: string, name: string): Promise<RawConnection> {
  const connection = new RawConnection(sidecar.target);
  connection.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  await connection.first(1);
  return connection.write(`${method} /v1/leases/${name} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{`);
}

describe('a request that is complete only after the stop has begun', () => {
  test('does not take the lock again, nor leave anything behind', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_ON_STOP: 'release' } });
    await sidecar.put('recorder');
    const late = await begin(sidecar, 'PUT', 'late');
    await sidecar.send('GET', '/healthz');
    sidecar.process.kill('SIGTERM');
    await until(() => !existsSync(sidecar.socketPath) || sidecar.process.exitCode !== null);
    late.write('}');
    const [, answer] = await late.first(2);
    expect(answer === undefined || answer.status === 503).toBe(true);
    expect(await sidecar.exited()).toBe(0);
    expect(sidecar.lockFiles.filter((path) => existsSync(path))).toEqual([]);
    await until(() => guardsIn(sidecar.folder).length === 0);
  });

  test('does not claim to have released a lease that lives on', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder');
    const late = await begin(sidecar, 'DELETE', 'recorder');
    await sidecar.send('GET', '/healthz');
    sidecar.process.kill('SIGTERM');
    await until(() => !existsSync(sidecar.socketPath));
    late.write('}');
    const [, answer] = await late.first(2);
    expect(answer === undefined || (answer.status === 503 && answer.body.includes('stopping'))).toBe(true);
    expect(await sidecar.exited()).toBe(0);
    for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
    expect((await (await sidecar.startAgain()).send('GET', '/v1/leases/recorder')).status).toBe(200);
  });
});

test.each([['keep', 2], ['release', 0]])('a stop right after the lock was taken, before all else is loaded, honours %s', async (onStop, files) => {
  const sidecar = Sidecar.spawn({ environment: { UPDATE_LOCK_HOLD_ON_START: '1m', UPDATE_LOCK_ON_STOP: onStop } });
  await until(() => existsSync(sidecar.lockFiles[1] ?? ''));
  expect(await sidecar.kill('SIGTERM')).toBe(0);
  expect(sidecar.lockFiles.filter((path) => existsSync(path))).toHaveLength(files);
  if (files === 0) await until(() => guardsIn(sidecar.folder).length === 0);
  else for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
});

describe('an output that cannot be written to', () => {
  async function expectAlive(sidecar: Sidecar): Promise<void> {
    for (const name of ['first', 'second', 'third']) {
      expect((await sidecar.put(name)).status).toBe(201);
      expect((await sidecar.release(name)).status).toBe(200);
    }
    expect(await sidecar.kill('SIGTERM')).toBe(0);
  }

  test('because its reader has gone is lived with', async () => {
    const sidecar = await Sidecar.start();
    sidecar.process.stdout?.destroy();
    sidecar.process.stderr?.destroy();
    await expectAlive(sidecar);
  });

  test('because the disk is full is lived with', async () => {
    const sidecar = Sidecar.spawn({ wrapper: ['sh', '-c', 'exec "$@" >/dev/full 2>&1', 'sh'] });
    await untilAnswering(sidecar);
    await expectAlive(sidecar);
  });

  test('because it was closed at the start is lived with', async () => {
    const sidecar = Sidecar.spawn({ wrapper: ['sh', '-c', 'exec "$@" >&- 2>&-', 'sh'] });
    await untilAnswering(sidecar);
    await expectAlive(sidecar);
  });
});

/** For one whose log cannot tell that it is ready. */
async function untilAnswering(sidecar: Sidecar): Promise<void> {
  await until(async () => {
    try {
      return (await sidecar.send('GET', '/healthz')).status === 200;
    } catch {
      return false;
    }
  });
}

test('a cooldown of weeks does not keep the sidecar busy for whoever waits', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOST_COOLDOWN: '30d' } });
  await sidecar.put('recorder');
  unlinkSync(sidecar.lockFiles[0] ?? '');
  await sidecar.logged('lease ended', { ended: 'lost' });
  const waiting = sidecar.put('recorder', { wait: 1.5 });
  await sidecar.logged('request waits', { name: 'recorder' });
  const before = sidecar.processorMs;
  expect((await waiting).body.code).toBe('cooldown');
  expect(sidecar.processorMs - before).toBeLessThan(300);
});

/** Goes on sending although the answer is there, as one does who is slower than the sidecar. */
const SEND_ALL_THEN_READ = `
import http.client, select, sys, time
connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=20)
def body():
    yield b'x' * 20000
    select.select([connection.sock], [], [], 20)
    for _ in range(20):
        time.sleep(0.01)
        yield b'x' * 11000
connection.request(sys.argv[2], sys.argv[3], body(), {'Content-Type': 'application/json', 'Content-Length': '240000'})
answer = connection.getresponse()
print(answer.status, len(answer.read()) > 100)
`;

test.each([['too long', 'PUT', '/v1/leases/a', '413'], ['not wanted', 'PUT', '/v1/leases/@own', '422'], ['for nobody', 'POST', '/nothing', '404']])(
  'a client that sends all of a body that is %s before it reads gets the answer',
  async (_, method, path, status) => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0' } });
    const { port } = sidecar.tcpTarget as { port: number };
    const { stdout } = await promisify(execFile)('python3', ['-c', SEND_ALL_THEN_READ, String(port), method, path]);
    expect(stdout).toBe(`${status} True\n`);
  },
);

test('a client that goes on sending after that is cut off', async () => {
  const sidecar = await Sidecar.start();
  const connection = new RawConnection(sidecar.target);
  connection.write('PUT /v1/leases/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n');
  expect((await connection.first(1)).map(({ status }) => status)).toEqual([413]);
  expect(connection.socket.closed).toBe(false);
  connection.write(Buffer.alloc(1_000_000));
  await until(() => connection.socket.closed);
});

test('CONNECT gets a problem', async () => {
  const sidecar = await Sidecar.start();
  const connection = new RawConnection(sidecar.target).write('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n');
  const [answer] = await connection.answers();
  expect(answer?.headers['content-type']).toMatch(/problem\+json/);
  expect(answer?.status).toBe(405);
  expect((await sidecar.send('GET', '/healthz')).status).toBe(200);
});
