import { existsSync } from 'node:fs';
import { Sidecar } from '../support/sidecar';
import { expectProblem } from './expectations';

let sidecar: Sidecar;
beforeAll(async () => (sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_MAX_TTL: '2h' } })));
afterAll(() => Sidecar.cleanUp());
afterEach(async () => { await sidecar.release('r'); });

const put = (options: Parameters<Sidecar['send']>[2], query = '') => sidecar.send('PUT', `/v1/leases/r${query}`, options);
const nothingWasTaken = (): void => { expect(sidecar.lockFiles.some((path) => existsSync(path))).toBe(false); };

describe('parameters may come', () => {
  test.each<[string, Parameters<Sidecar['send']>[2], string]>([
    ['as JSON', { json: { ttl: '90s', reason: 'a b' } }, ''],
    ['as JSON with numbers', { json: { ttl: 90, reason: 'a b' } }, ''],
    ['as JSON in UTF-8 that says so', { raw: '{"ttl":90,"reason":"a b"}', headers: { 'Content-Type': 'Application/JSON; charset="UTF-8"' } }, ''],
    ['as a form', { form: 'ttl=90&reason=a+b' }, ''],
    ['as a form, percent-encoded', { form: 'ttl=1m30s&reason=a%20b' }, ''],
    ['in the query', {}, '?ttl=90s&reason=a%20b'],
    ['in the query and the body', { json: { reason: 'a b' } }, '?ttl=90'],
    ['with no content encoding, said so', { json: { ttl: 90, reason: 'a b' }, headers: { 'Content-Encoding': 'identity' } }, ''],
  ])('%s', async (_, options, query) => {
    const answer = await put(options, query);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ ttlSeconds: 90, reason: 'a b' });
  });
});

describe('a time to live', () => {
  test.each([['1', 1], ['1s', 1], ['1.5', 1.5], ['2h', 7200], ['7200', 7200], [1, 1], [7200, 7200], [1.25, 1.25], ['1h30m', 5400]])('of %j is %d s', async (ttl, seconds) => {
    expect((await put({ json: { ttl } })).body.ttlSeconds).toBe(seconds);
  });

  test.each([0, -1, 0.5, '0', '999ms', '2h1ms', 7200.001, '1d', '1e3', '', ' 5', '5 m', '-5', 'soon', '5M', true, null, [], {}, [5], 1e300, '9'.repeat(70)])('of %j is refused, not bent', async (ttl) => {
    const answer = await put({ json: { ttl } });
    expectProblem(answer, 422, 'invalid');
    expect(answer.body.errors).toMatchObject([{ field: 'ttl' }]);
    expect(answer.body.detail).toContain('1s to 2h');
    nothingWasTaken();
  });

  test('of more than a double can hold is refused', async () => {
    expectProblem(await put({ raw: '{"ttl":1e999}', headers: { 'Content-Type': 'application/json' } }), 422, 'invalid');
  });
});

describe('a wait', () => {
  test.each([0, '0', '1h', 3600, '500ms'])('of %j is allowed', async (wait) => {
    expect((await put({ json: { wait } })).status).toBe(201);
  });

  test.each([-1, '1h1ms', 3601, 'forever', true, null, ''])('of %j is refused', async (wait) => {
    const answer = await put({ json: { wait } });
    expectProblem(answer, 422, 'invalid');
    expect(answer.body.errors).toMatchObject([{ field: 'wait' }]);
  });
});

describe('a reason', () => {
  test.each(['', 'x'.repeat(256), '🎥'.repeat(256), '\u0000'.repeat(256), '"\\\n\u2028', 'تسجيل', '</script><script>'])('of %j comes back as it was', async (reason) => {
    const answer = await put({ json: { reason } });
    expect(answer.status).toBe(201);
    expect((await sidecar.send('GET', '/v1/leases/r')).body.reason).toBe(reason);
  });

  test.each(['x'.repeat(257), '🎥'.repeat(257), 5, true, null, ['x'], {}])('of %j is refused', async (reason) => {
    const answer = await put({ json: { reason } });
    expectProblem(answer, 422, 'invalid');
    expect(answer.body.errors).toMatchObject([{ field: 'reason' }]);
    nothingWasTaken();
  });

  test('with half a character is made one that can be shown', async () => {
    const answer = await put({ raw: String.raw`{"reason":"a\ud83cb"}`, headers: { 'Content-Type': 'application/json' } });
    expect(answer.body.reason).toBe('a\ufffdb');
  });
});

describe('an unknown parameter is refused', () => {
  const unknown: readonly string[] = ['tll', 'TTL', 'ttl ', 'name', '__proto__', 'constructor', 'toString', 'ttl[]', ''];
  test.each(unknown)('%j in JSON', async (field) => {
    const answer = await put({ raw: `{${JSON.stringify(field)}:"5m"}`, headers: { 'Content-Type': 'application/json' } });
    expectProblem(answer, 422, 'invalid');
    expect(answer.body.errors).toMatchObject([{ field }]);
    nothingWasTaken();
  });

  test.each(unknown)('%j in a form', async (field) => {
    expectProblem(await put({ form: `${encodeURIComponent(field)}=5m` }), 422, 'invalid');
  });

  test.each([
    ['GET', '/v1/leases'], ['GET', '/v1/leases/r'], ['DELETE', '/v1/leases/r'], ['GET', '/v1/lock'], ['GET', '/metrics'], ['GET', '/healthz'],
    ['GET', '/readyz'], ['GET', '/openapi.json'], ['POST', '/v1/leases/r/hold'],
  ])('in the query of %s %s', async (method, path) => {
    expectProblem(await sidecar.send(method, `${path}?verbose=1`), 422, 'invalid');
  });

  test('JSON that is sent as a form, with advice', async () => {
    for (const raw of ['{"ttl":60}', ' {"reason":"a=b"}']) {
      const answer = await put({ raw, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
      expectProblem(answer, 422, 'invalid');
      expect(answer.body.detail).toMatch(/ is not a parameter of this request; it takes ttl, reason, wait; for JSON, send "Content-Type: application\/json"\.$/);
    }
    expect((await put({ form: 'tll=60' })).body.detail).toBe('tll: is not a parameter of this request; it takes ttl, reason, wait.');
  });

  test('each has an error of its own beside those of the known ones', async () => {
    const answer = await put({ json: { ttl: 'x', reason: 5, a: 1, b: 2 } });
    expect((answer.body.errors as { field: string }[]).map(({ field }) => field).sort()).toEqual(['a', 'b', 'reason', 'ttl']);
  });
});

describe('a parameter that is given more than once is refused', () => {
  test.each<[string, Parameters<Sidecar['send']>[2], string]>([
    ['in the query', {}, '?ttl=5m&ttl=5m'],
    ['in a form', { form: 'ttl=5m&ttl=6m' }, ''],
    ['in the query and a form', { form: 'ttl=6m' }, '?ttl=5m'],
    ['in the query and JSON', { json: { ttl: '6m' } }, '?ttl=5m'],
  ])('%s', async (_, options, query) => {
    const answer = await put(options, query);
    expectProblem(answer, 400, 'malformed');
    expect(answer.body.detail).toContain('ttl');
    nothingWasTaken();
  });
});

describe('a body that cannot be read', () => {
  const json = { 'Content-Type': 'application/json' };
  test.each(['{', '{"ttl":5m}', "{'ttl':5}", 'ttl=5m', '\ufeff{}', '{}{}', '{"ttl":5,}', '[]', '5', '"x"', 'null', 'true', 'NaN'])('%j is not a JSON object', async (raw) => {
    expectProblem(await put({ raw, headers: json }), 400, 'malformed');
    nothingWasTaken();
  });

  test.each([Buffer.from([0x7b, 0xff, 0x7d]), Buffer.from('{"reason":"\xe4"}', 'latin1'), Buffer.from([0xed, 0xa0, 0x80])])('is one that is not UTF-8', async (raw) => {
    expectProblem(await put({ raw, headers: json }), 400, 'malformed');
  });

  test.each<Record<string, string>>([
    { 'Content-Type': 'text/plain' }, { 'Content-Type': 'application/xml' }, { 'Content-Type': 'multipart/form-data; boundary=x' }, { 'Content-Type': '' }, {},
    { 'Content-Type': 'application/json; charset=latin1' }, { 'Content-Type': 'application/jsonp' }, { ...json, 'Content-Encoding': 'gzip' }, { ...json, 'Content-Encoding': 'br' },
  ])('is one of a type that is not understood: %j', async (headers) => {
    expectProblem(await put({ raw: '{}', headers }), 415, 'unsupported-media-type');
    nothingWasTaken();
  });

  test('is one that is longer than 16 KiB', async () => {
    const raw = JSON.stringify({ reason: 'x'.repeat(17_000) });
    expectProblem(await put({ raw, headers: json }), 413, 'too-large');
    nothingWasTaken();
  });

  test('one of 16 KiB exactly is read', async () => {
    const raw = '{"ttl":5}'.padEnd(16 * 1024);
    expect((await put({ raw, headers: json })).status).toBe(201);
    expectProblem(await put({ raw: `${raw} `, headers: json }), 413, 'too-large');
  });
});
