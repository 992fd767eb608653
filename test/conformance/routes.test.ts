import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { document } from '../support/openapi';
import { Sidecar } from '../support/sidecar';
import { expectProblem, expectSecurityHeaders } from './expectations';

let sidecar: Sidecar;
beforeAll(async () => {
  sidecar = await Sidecar.start();
  await sidecar.put('live');
});
afterAll(() => Sidecar.cleanUp());

const ALLOWED: readonly (readonly [string, readonly string[]])[] = [
  ['/v1/leases', ['GET', 'HEAD']],
  ['/v1/leases/live', ['PUT', 'GET', 'HEAD', 'DELETE']],
  ['/v1/leases/live/hold', ['POST']],
  ['/v1/lock', ['GET', 'HEAD']],
  ['/v1/override', ['PUT', 'GET', 'HEAD', 'DELETE']],
  ['/v1/update', ['GET', 'HEAD', 'POST']],
  ['/v1/fleet', ['GET', 'HEAD']],
  ['/v1/events', ['GET', 'HEAD']],
  ['/v1/history', ['GET', 'HEAD']],
  ['/metrics', ['GET', 'HEAD']],
  ['/healthz', ['GET', 'HEAD']],
  ['/readyz', ['GET', 'HEAD']],
  ['/openapi.json', ['GET', 'HEAD']],
  ['/', ['GET', 'HEAD']],
  ['/client.sh', ['GET', 'HEAD']],
  ['/client.py', ['GET', 'HEAD']],
];
const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE'];
/** Whose answer comes to an end. */
const readable = ALLOWED.filter(([path, methods]) => methods.includes('GET') && path !== '/v1/events').map(([path]) => path);

test('these are all the paths of the OpenAPI document', () => {
  const { paths: described } = document as { paths: object };
  const paths = Object.keys(described).map((path) => path.replace('{name}', 'live'));
  expect(paths.sort()).toEqual(ALLOWED.map(([path]) => path).sort());
});

test.each(ALLOWED.flatMap(([path, allowed]) => METHODS.filter((method) => !allowed.includes(method)).map((method) => [method, path, allowed] as const)))(
  '%s %s is answered 405, with what is allowed',
  async (method, path, allowed) => {
    const answer = await sidecar.send(method, path);
    if (method === 'HEAD') expect([answer.status, answer.text]).toEqual([405, '']);
    else {
      expectProblem(answer, 405, 'method-not-allowed');
      expect(answer.body.detail).toBe(`${method} is not for this path; ${allowed.length === 1 ? 'POST is' : `${answer.headers.allow ?? ''} are`}.`);
    }
    expect((answer.headers.allow ?? '').split(', ').sort()).toEqual([...allowed].sort());
  },
);

test.each(readable)('HEAD %s has the head of GET and no body', async (path) => {
  const [head, get] = [await sidecar.send('HEAD', path), await sidecar.send('GET', path)];
  expect([head.status, head.text]).toEqual([get.status, '']);
  for (const header of ['content-type', 'cache-control', 'content-security-policy']) expect(head.headers[header]).toBe(get.headers[header]);
  expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
});

test.each([['/client.sh', 'sh/update-lock'], ['/client.py', 'python/update_lock.py']])('GET %s is that client, byte for byte', async (path, file) => {
  const answer = await sidecar.send('GET', path);
  expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(answer.text).toBe(readFileSync(resolve(__dirname, '../../client', file), 'utf8'));
});

test.each(['/v1', '/v1/', '/v1/leases/', '/v1/leases/live/', '/v1/leases/live/hold/', '/v1/leases/live/other', '/V1/lock', '/v1/Lock', '/v2/lock', '/lock', '/metrics/', '//v1/lock', '/v1//lock', '/favicon.ico', '/.env', '/v1/lock%2F', '/%00'])(
  'there is nothing at %s',
  async (path) => {
    for (const method of ['GET', 'PUT', 'OPTIONS']) {
      const answer = await sidecar.send(method, path);
      expectProblem(answer, 404, 'not-found');
      expect(answer.body.detail).toMatch(/^There is nothing at ".*"; \/openapi\.json has every path\.$/);
    }
  },
);

// There is no override.
test.each(readable.filter((path) => path !== '/v1/override'))('GET %s is 200, and for no cache, frame or other site', async (path) => {
  const answer = await sidecar.send('GET', path);
  expect(answer.status).toBe(200);
  expectSecurityHeaders(answer.headers);
});

describe('GET /v1/lock', () => {
  test('of a lock that is held has its leases and a sentence', async () => {
    const { body } = await sidecar.send('GET', '/v1/lock');
    expect(body).toMatchObject({
      state: 'held', flock: true, update: null, window: null, override: null, device: null, leases: [{ name: 'live' }],
      paths: sidecar.lockFiles.map((path) => ({ path, state: 'ours' })),
    });
    expect(body.expires).toBe((body.leases as { expires: string }[])[0]?.expires);
    expect(body.summary).toMatch(/^Updates are held back by live since (?:\S+ )?\d\d:\d\d UTC, until .* UTC at the latest\.$/);
  });

  test('of one that is free says so', async () => {
    const other = await Sidecar.start();
    expect((await other.send('GET', '/v1/lock')).body).toEqual({
      state: 'free', since: null, expires: null, flock: false, update: null, window: null, override: null, device: null, leases: [], summary: 'Nothing holds back updates.',
      paths: other.lockFiles.map((path) => ({ path, state: 'absent' })),
    });
  });
});

test('GET /healthz and /readyz say that all is well, and of what', async () => {
  expect((await sidecar.send('GET', '/healthz')).body).toEqual({ status: 'ok' });
  const { body } = await sidecar.send('GET', '/readyz');
  expect(body.ready).toBe(true);
  expect((body.checks as { name: string; ok: boolean; detail: string }[]).every(({ ok, detail }) => ok && detail !== '')).toBe(true);
  expect(body.checks).toContainEqual({ name: 'gates', ok: true, detail: 'No update is being applied or past its deadline, and the lock was not just taken away.' });
});
