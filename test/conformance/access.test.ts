import { Hold } from '../support/hold';
import { send } from '../support/http';
import { Sidecar } from '../support/sidecar';
import { until } from '../support/until';
import { expectProblem, expectSecurityHeaders } from './expectations';
import { exchange, RawConnection } from './raw';

const API = 'api-s3cret';
const ADMIN = 'admin-s3cret';
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

afterAll(() => Sidecar.cleanUp());

describe('with an API token', () => {
  let sidecar: Sidecar;
  beforeAll(async () => {
    sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_API_TOKEN: API, UPDATE_LOCK_ADMIN_TOKEN: ADMIN } });
  });

  const CHANGES = [['PUT', '/v1/leases/a'], ['DELETE', '/v1/leases/a'], ['POST', '/v1/leases/a/hold']] as const;

  test.each(CHANGES)('%s %s over TCP without it is refused', async (method, path) => {
    const answer = await send(sidecar.tcpTarget, method, path);
    expectProblem(answer, 401, 'unauthorized');
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer\b/);
  });

  test.each([
    ['another token', 'Bearer wrong'], ['a part of it', `Bearer ${API.slice(0, -1)}`], ['more than it', `Bearer ${API}x`], ['none', 'Bearer'], ['an empty one', 'Bearer '],
    ['another scheme', `Basic ${Buffer.from(`x:${API}`).toString('base64')}`], ['no scheme', API], ['two', `Bearer wrong ${API}`], ['its upper case', `Bearer ${API.toUpperCase()}`],
    ['a very long one', `Bearer ${'x'.repeat(10_000)}`],
  ])('a change with %s is refused', async (_, authorization) => {
    expectProblem(await send(sidecar.tcpTarget, 'PUT', '/v1/leases/a', { headers: { Authorization: authorization } }), 401, 'unauthorized');
  });

  describe.each([['PUT', '/v1/leases/held'], ['DELETE', '/v1/leases/held'], ['POST', '/v1/leases/held/hold'], ['POST', '/v1/update']])('%s %s', (method, path) => {
    test.each([
      ['as it is', path],
      ['in absolute form', `http://h${path}`],
      ['in absolute form with a user', `http://u:p@h:1${path}`],
      ['in absolute form with an upper-case scheme', `HTTP://h${path}`],
      ['in absolute form of https', `https://h${path}`],
      ['with two slashes', `/${path}`],
      ['with two slashes inside', path.replace('/v1/', '/v1//')],
      ['in upper case', path.replace('/v1', '/V1')],
      ['with a dot segment', `/.${path}`],
      ['with a parent segment', `/x/..${path}`],
      ['with a path parameter', path.replace('/v1', '/v1;x')],
      ['with a path parameter at the end', `${path};x`],
      ['with its prefix percent-encoded', path.replace('/v1', '/%76%31')],
      ['with a percent-encoded slash', path.replace('/v1/', '/v1%2F')],
      ['with a percent-encoded end', `${path.slice(0, -1)}%${path.charCodeAt(path.length - 1).toString(16)}`],
      ['with a backslash', path.replace('/v1/', '/v1\\')],
      ['with a query', `${path}?reason=x`],
      ['with a fragment', `${path}#x`],
      ['with a slash at the end', `${path}/`],
    ])('%s changes nothing without the token', async (_, target) => {
      await sidecar.put('held', { reason: 'as it was' });
      const [answer] = await exchange(sidecar.tcpTarget, `${method} ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
      expect([401, 404]).toContain(answer?.status);
      const { leases } = (await sidecar.send('GET', '/v1/leases')).body as { leases: { name: string; reason: string }[] };
      expect(leases.map(({ name, reason }) => [name, reason])).toEqual([['held', 'as it was']]);
      expect((await sidecar.release('held')).body.renewals).toBe(0);
    });

    test('in absolute form is allowed with the token', async () => {
      const head = `${method} http://h${path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${API}\r\n\r\n`;
      const connection = new RawConnection(sidecar.tcpTarget).write(head);
      await until(() => connection.received.includes('\r\n\r\n'));
      expect(connection.received).toMatch(/^HTTP\/1.1 (20\d|503) /);
      connection.close();
      await until(async () => (await sidecar.release('held')).status === 204);
    });
  });

  const API_NEEDED = 'Changes over TCP need "Authorization: Bearer" with the API token.';

  test.each([
    ['PUT', '/v1/leases/a', API_NEEDED],
    ['POST', '/v1/update', `${API_NEEDED} Forcing an update needs the admin token.`],
    ['PUT', '/v1/override', 'An override needs the admin token, as "Authorization: Bearer".'],
    ['DELETE', '/v1/override', 'An override needs the admin token, as "Authorization: Bearer".'],
  ])('%s %s says at once which token it needs', async (method, path, detail) => {
    const answer = await send(sidecar.tcpTarget, method, path);
    expectProblem(answer, 401, 'unauthorized');
    expect(answer.body.detail).toBe(detail);
  });

  test('a token in the query is no token', async () => {
    expectProblem(await send(sidecar.tcpTarget, 'PUT', `/v1/leases/a?token=${API}`), 401, 'unauthorized');
  });

  test.each([API, ADMIN])('with a right one every change is allowed', async (token) => {
    expect((await send(sidecar.tcpTarget, 'PUT', '/v1/leases/a', bearer(token))).status).toBe(201);
    expect((await send(sidecar.tcpTarget, 'PUT', '/v1/leases/a', { headers: { Authorization: `bearer ${token}` } })).status).toBe(200);
    expect((await send(sidecar.tcpTarget, 'DELETE', '/v1/leases/a', bearer(token))).status).toBe(200);
  });

  test.each(['/v1/leases', '/v1/lock', '/metrics', '/healthz', '/readyz', '/openapi.json'])('GET and HEAD %s need none', async (path) => {
    expect((await send(sidecar.tcpTarget, 'GET', path)).status).toBe(200);
    expect((await send(sidecar.tcpTarget, 'HEAD', path)).status).toBe(200);
  });

  test('over the Unix socket none is needed, nor looked at', async () => {
    expect((await sidecar.put('a')).status).toBe(201);
    expect((await sidecar.send('PUT', '/v1/leases/a', bearer('wrong'))).status).toBe(200);
    expect((await sidecar.release('a')).status).toBe(200);
    const hold = await Hold.open(sidecar.target, 'job');
    await hold.line('held');
    hold.close();
  });
});

test('without an API token anyone who can connect may change things, whatever token they send', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_ADMIN_TOKEN: ADMIN } });
  const answer = await send(sidecar.tcpTarget, 'PUT', '/v1/leases/a', bearer('x'));
  expect([answer.status, answer.body.peer]).toEqual([201, '127.0.0.1']);
});

describe('a request from a page', () => {
  let sidecar: Sidecar;
  beforeAll(async () => (sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0' } })));

  const from = (origin: string, method = 'PUT', path = '/v1/leases/a') => send(sidecar.tcpTarget, method, path, { headers: { Origin: origin, Host: 'device.local:8080' } });

  test.each(['https://evil.example', 'http://device.local', 'http://device.local:8081', 'http://device.local:8080.evil.example', 'null', '', 'file://', 'http://', 'http://evil.example/device.local:8080', 'device.local:8080'])(
    'of %j is refused, whatever it asks for',
    async (origin) => {
      for (const [method, path] of [['PUT', '/v1/leases/a'], ['POST', '/v1/leases/a/hold'], ['GET', '/v1/lock'], ['GET', '/metrics'], ['OPTIONS', '/v1/leases/a'], ['GET', '/nothing']] as const) {
        const answer = await from(origin, method, path);
        expectProblem(answer, 403, 'forbidden');
        expectSecurityHeaders(answer.headers);
      }
    },
  );

  test.each(['http://device.local:8080', 'https://device.local:8080', 'HTTP://DEVICE.local:8080'])('of its own, %s, is not', async (origin) => {
    expect((await from(origin)).status).toBeLessThan(202);
  });

  test('of another site is refused over the Unix socket too', async () => {
    expectProblem(await sidecar.send('GET', '/v1/lock', { headers: { Origin: 'https://evil.example' } }), 403, 'forbidden');
  });
});
