import { hostname } from 'node:os';
import { send } from '../support/http';
import { Sidecar } from '../support/sidecar';
import { expectProblem, expectSecurityHeaders } from './expectations';
import { exchange } from './raw';

const FOREIGN = ['evil.example', 'evil.example:8080', 'EVIL.example', 'evil.example.', '127.0.0.1.evil.example', 'localhost.evil.example', 'update-lock.evil.example', 'local.evil.example',
  'evil.local.example', '1.2.3.4.5', '1.2.3.256', 'a@evil.example', 'evil.example/localhost', 'localhost@evil.example', '[::1].evil.example', '[evil.example]', '[::1', 'evil.example:x', 'localhost:', 'a b.local', 'evil.example,localhost'];

const OWN = ['localhost', 'localhost:8080', 'LOCALHOST', 'update-lock', 'update-lock:8080', 'lock', 'my_lock:80', hostname(), `${hostname()}:8080`, 'a1b2c3d.local', 'a1b2c3d.local:8080', 'A1B2C3D.Local.', 'app.localhost',
  'host.docker.internal', '127.0.0.1', '192.168.1.20:8080', '[::1]', '[fe80::1]:8080', '[::FFFF:10.0.0.1]', ''];

const EVERYTHING = [['GET', '/'], ['GET', '/metrics'], ['GET', '/healthz'], ['GET', '/readyz'], ['GET', '/openapi.json'], ['GET', '/client.sh'], ['GET', '/v1/lock'], ['GET', '/v1/events'], ['GET', '/v1/leases'],
  ['PUT', '/v1/leases/a'], ['DELETE', '/v1/leases/a'], ['POST', '/v1/leases/a/hold'], ['POST', '/v1/update'], ['PATCH', '/v1/lock'], ['OPTIONS', '/v1/leases/a'], ['GET', '/nothing']] as const;

afterAll(() => Sidecar.cleanUp());

describe('a request over TCP', () => {
  let sidecar: Sidecar;
  beforeAll(async () => (sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0' } })));
  const ask = (host: string, method = 'GET', path = '/v1/lock') => send(sidecar.tcpTarget, method, path, { headers: { Host: host } });

  test.each(FOREIGN)('for the host %j is refused, with the setting that could allow it', async (host) => {
    const answer = await ask(host);
    expectProblem(answer, 403, 'forbidden');
    expect(answer.body.detail).toContain('UPDATE_LOCK_ALLOWED_HOSTS');
    expect(answer.body.detail).toContain(JSON.stringify(host));
  });

  test.each(OWN)('for the host %j is answered', async (host) => {
    expect((await ask(host)).status).toBe(200);
  });

  test('for a foreign host is refused whatever it asks for, even of one origin with the page that sends it', async () => {
    for (const [method, path] of EVERYTHING) {
      const answer = await send(sidecar.tcpTarget, method, path, { headers: { Host: 'evil.example:8080', Origin: 'http://evil.example:8080' } });
      expectProblem(answer, 403, 'forbidden');
      expectSecurityHeaders(answer.headers);
    }
    expect((await sidecar.send('GET', '/v1/leases')).body.leases).toEqual([]);
  });

  test('with two hosts is judged by the first, whatever its request line says', async () => {
    const ways = ['Host: evil.example\r\nHost: localhost', 'Host: evil.example'].map((head) => `GET http://localhost/v1/lock HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`);
    for (const way of ways) expect((await exchange(sidecar.tcpTarget, way)).map(({ status }) => status)).not.toContain(200);
  });

  test('with more spellings of a host than are remembered is answered all the same', async () => {
    for (let port = 1; port <= 100; port += 1) expect((await ask(`localhost:${String(port)}`)).status).toBe(200);
    expect((await ask('evil.example')).status).toBe(403);
  });
});

test('over the Unix socket, which no page can open, any host will do', async () => {
  const sidecar = await Sidecar.start();
  for (const host of FOREIGN) expect((await sidecar.send('GET', '/v1/lock', { headers: { Host: host } })).status).toBe(200);
});

test('the setting allows names, what is below a name, and no more', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_ALLOWED_HOSTS: 'Device.Example.com, *.balena.example' } });
  const statusFor = async (host: string) => (await send(sidecar.tcpTarget, 'GET', '/v1/lock', { headers: { Host: host } })).status;
  for (const host of ['device.example.com', 'DEVICE.example.com:8080', 'device.example.com.', 'a1.balena.example', 'a.b.balena.example', 'localhost']) expect([host, await statusFor(host)]).toEqual([host, 200]);
  for (const host of ['example.com', 'x.device.example.com', 'balena.example', 'evilbalena.example', 'evil.example']) expect([host, await statusFor(host)]).toEqual([host, 403]);
});

test("a page from a device's public URL, whose TLS ends in the cloud, can make changes if that name is allowed", async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_ALLOWED_HOSTS: '*.balena-devices.com' } });
  const headers = { Host: '0123abcd.balena-devices.com', Origin: 'https://0123abcd.balena-devices.com' };
  expect((await send(sidecar.tcpTarget, 'PUT', '/v1/leases/recorder', { headers })).status).toBe(201);
  expect((await send(sidecar.tcpTarget, 'DELETE', '/v1/leases/recorder', { headers })).status).toBe(200);
});

test('the setting can allow every host', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_ALLOWED_HOSTS: '*' } });
  for (const host of FOREIGN) expect((await send(sidecar.tcpTarget, 'GET', '/v1/lock', { headers: { Host: host } })).status).toBe(200);
});
