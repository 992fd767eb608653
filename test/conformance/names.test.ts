import { Sidecar } from '../support/sidecar';
import { expectProblem } from './expectations';

let sidecar: Sidecar;
beforeAll(async () => (sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_HOLD_ON_START: '1h' } })));
afterAll(() => Sidecar.cleanUp());

const REQUESTS = [['PUT', ''], ['DELETE', ''], ['POST', '/hold']] as const;

test.each(['a', 'A', '0', 'a.b', 'a_b', 'a-b', '1.2.3', 'x'.repeat(64), 'constructor', '__proto__'.slice(2), 'hold', 'a..'])('%j is a name', async (name) => {
  const taken = await sidecar.put(name);
  expect([taken.status, taken.body.name, taken.headers.location]).toEqual([201, name, `/v1/leases/${name}`]);
  expect((await sidecar.release(name)).status).toBe(200);
});

test('a name may be percent-encoded, and is the same name', async () => {
  expect((await sidecar.send('PUT', '/v1/leases/%72ec%6Frder')).body.name).toBe('recorder');
  expect((await sidecar.send('GET', '/v1/leases/recorder')).status).toBe(200);
  expect((await sidecar.send('DELETE', '/v1/leases/%72%65%63order')).status).toBe(200);
});

const BAD = ['x'.repeat(65), '.a', '-a', '_a', '%20', 'a%20b', 'a%2Fb', '%2E%2E%2Fetc', 'ü', '%C3%BC', 'a%00', 'a%0A', 'a:b', 'a,b', 'a;b', 'a+b', 'a@b', '%F0%9F%8E%A5', '%25', '%40', '~a', 'x'.repeat(5000)];

test.each(BAD.flatMap((name) => REQUESTS.map(([method, suffix]) => [method, name, suffix] as const)))('%s of the bad name %j%s is refused', async (method, name, suffix) => {
  const answer = await sidecar.send(method, `/v1/leases/${name === 'ü' ? encodeURIComponent(name) : name}${suffix}`);
  expectProblem(answer, 422, 'invalid');
  expect(answer.body.errors).toMatchObject([{ field: 'name' }]);
});

test.each(BAD)('GET of the bad name %j is refused too', async (name) => {
  expectProblem(await sidecar.send('GET', `/v1/leases/${encodeURI(decodeURIComponent(name)).replaceAll('/', '%2F')}`), 422, 'invalid');
});

test.each(['%', '%z', '%zz', 'a%2', '%ff', '%C3', '%ED%A0%80'])('the name %j cannot even be decoded', async (name) => {
  expectProblem(await sidecar.send('PUT', `/v1/leases/${name}`), 400, 'malformed');
});

describe("a lease of the sidecar's own", () => {
  test.each(['@start', '%40start'])('may be read as %s', async (name) => {
    const answer = await sidecar.send('GET', `/v1/leases/${name}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ name: '@start', kind: 'builtin', ttlSeconds: 3600 });
  });

  test.each(REQUESTS.flatMap(([method, suffix]) => ['@start', '%40start', '@window', '@probe-x', '@x'].map((name) => [method, name, suffix] as const)))(
    'cannot be had, held or released: %s %s%s',
    async (method, name, suffix) => {
      const answer = await sidecar.send(method, `/v1/leases/${name}${suffix}`);
      expectProblem(answer, 422, 'invalid');
      expect(answer.body.detail).toContain("sidecar's own");
      expect((await sidecar.send('GET', '/v1/leases/@start')).status).toBe(200);
    },
  );
});
