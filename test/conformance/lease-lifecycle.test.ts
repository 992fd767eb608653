import { existsSync } from 'node:fs';
import { Hold } from '../support/hold';
import { Sidecar } from '../support/sidecar';
import { expectProblem, expectSecurityHeaders } from './expectations';

let sidecar: Sidecar;
beforeAll(async () => (sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_MAX_LEASES: '20' } })));
afterAll(() => Sidecar.cleanUp());
afterEach(async () => {
  for (const { name } of (await sidecar.send('GET', '/v1/leases')).body.leases as { name: string }[]) await sidecar.release(name);
});

const isOnDisk = (): boolean[] => sidecar.lockFiles.map((path) => existsSync(path));
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('PUT /v1/leases/{name}', () => {
  test('answers 201 with the lease and where it is; by then the lock is on disk', async () => {
    const answer = await sidecar.put('recorder', { ttl: '5m', reason: 'recording' });
    expect(isOnDisk()).toEqual([true, true]);
    expect([answer.status, answer.headers.location]).toEqual([201, '/v1/leases/recorder']);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[\w-]{16,}$/) as string,
      name: 'recorder', reason: 'recording', kind: 'timed', ttlSeconds: 300, renewals: 0, peer: 'unix',
      since: expect.stringMatching(RFC_3339) as string,
      expires: expect.stringMatching(RFC_3339) as string,
      remainingSeconds: expect.any(Number) as number,
    });
    expect(answer.body.remainingSeconds).toBeGreaterThan(290);
    expect(answer.body.remainingSeconds).toBeLessThanOrEqual(300);
    expect(Date.parse(answer.body.expires as string) - Date.parse(answer.body.since as string)).toBe(300_000);
    expectSecurityHeaders(answer.headers);
  });

  test('without parameters takes the default time to live and no reason', async () => {
    const answer = await sidecar.send('PUT', '/v1/leases/recorder');
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ ttlSeconds: 300, reason: '' });
  });

  test('on a live lease answers 200 without a location: a renewal, whose time counts from now', async () => {
    const first = await sidecar.put('recorder', { ttl: 10, reason: 'recording' });
    const second = await sidecar.put('recorder', { ttl: '1h' });
    expect([second.status, second.headers.location]).toEqual([200, undefined]);
    expect(second.body).toMatchObject({ since: first.body.since as string, reason: 'recording', ttlSeconds: 3600, renewals: 1 });
    expect(second.body.remainingSeconds).toBeGreaterThan(3590);
    expect((await sidecar.put('recorder', { reason: 'still' })).body).toMatchObject({ reason: 'still', ttlSeconds: 3600, renewals: 2 });
    expect((await sidecar.put('recorder', { ttl: 5 })).body).toMatchObject({ ttlSeconds: 5, renewals: 3 });
  });

  test.each([
    ['If-None-Match', false, 201],
    ['If-None-Match', true, 412],
    ['If-Match', false, 412],
    ['If-Match', true, 200],
  ])('with %s: *, and the lease live: %s, answers %d', async (header, isLive, status) => {
    if (isLive) await sidecar.put('recorder');
    const answer = await sidecar.send('PUT', '/v1/leases/recorder', { headers: { [header]: '*' } });
    expect(answer.status).toBe(status);
    if (status === 412) expectProblem(answer, 412, 'precondition-failed');

    expect(isOnDisk()).toEqual(isLive || status === 201 ? [true, true] : [false, false]);
  });

  test('with both preconditions cannot be met', async () => {
    expectProblem(await sidecar.send('PUT', '/v1/leases/x', { headers: { 'If-Match': '*', 'If-None-Match': '*' } }), 412, 'precondition-failed');
  });

  test('with an id in If-None-Match is refused', async () => {
    const answer = await sidecar.send('PUT', '/v1/leases/x', { headers: { 'If-None-Match': '"abc"' } });
    expectProblem(answer, 422, 'invalid');
    expect(answer.body.errors).toMatchObject([{ field: 'If-None-Match' }]);
  });

  test('on a name that a connection holds is a conflict, which names the holder', async () => {
    const hold = await Hold.open(sidecar.target, 'job');
    await hold.line('held');
    const answer = await sidecar.put('job');
    expectProblem(answer, 409, 'name-in-use');
    expect(answer.body.holder).toBe('job');
    hold.close();
  });

  test('above the limit is refused, but renewals are not', async () => {
    for (let index = 0; index < 20; index += 1) expect((await sidecar.put(`n${String(index)}`)).status).toBe(201);
    expectProblem(await sidecar.put('one-more'), 429, 'too-many-leases');
    expect((await sidecar.put('n0')).status).toBe(200);
    await sidecar.release('n0');
    expect((await sidecar.put('one-more')).status).toBe(201);
  });
});

describe('GET', () => {
  test('/v1/leases lists the live leases, oldest first', async () => {
    expect((await sidecar.send('GET', '/v1/leases')).body).toEqual({ leases: [] });
    for (const name of ['b', 'a', 'c']) await sidecar.put(name);
    await sidecar.put('b');
    const { leases } = (await sidecar.send('GET', '/v1/leases')).body as { leases: { name: string }[] };
    expect(leases.map(({ name }) => name)).toEqual(['b', 'a', 'c']);
  });

  test('/v1/leases/{name} is the live lease as the list has it', async () => {
    await sidecar.put('recorder', { reason: 'r', ttl: 77 });
    const answer = await sidecar.send('GET', '/v1/leases/recorder');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ name: 'recorder', reason: 'r', ttlSeconds: 77 });
  });

  test('of a lease that has ended is 410, and says how it ended and what it was', async () => {
    await sidecar.put('gone', { reason: 'r' });
    await sidecar.release('gone');
    const answer = await sidecar.send('GET', '/v1/leases/gone');
    expectProblem(answer, 410, 'lease-ended');
    expect(answer.body.ended).toEqual({ reason: 'released', at: expect.stringMatching(RFC_3339) as string });
    expect(answer.body.lease).toMatchObject({ name: 'gone', reason: 'r', ended: answer.body.ended as object });
  });

  test('of one that was held by a connection tells that the connection ended', async () => {
    const hold = await Hold.open(sidecar.target, 'job');
    await hold.line('held');
    hold.close();
    await sidecar.logged('lease ended', { name: 'job', ended: 'disconnected' });
    const answer = await sidecar.send('GET', '/v1/leases/job');
    expectProblem(answer, 410, 'lease-ended');
    expect(answer.body.detail).toMatch(/^The lease "job" ended at /);
    expect(answer.body.ended).toMatchObject({ reason: 'disconnected' });
    expect(answer.body.lease).toMatchObject({ kind: 'connection', expires: null, ttlSeconds: null, remainingSeconds: null });
  });

  test('of a lease that never was is 404', async () => {
    const answer = await sidecar.send('GET', '/v1/leases/never');
    expectProblem(answer, 404, 'lease-not-found');
    expect(answer.body.detail).toBe('There is no lease "never", and none has ended within the last hour.');
    expectProblem(await sidecar.send('GET', '/v1/leases/@window'), 404, 'lease-not-found');
  });
});

describe('DELETE /v1/leases/{name}', () => {
  test('answers with the lease as it was; by then the lock is not on disk', async () => {
    await sidecar.put('recorder', { reason: 'r' });
    const answer = await sidecar.release('recorder');
    expect(isOnDisk()).toEqual([false, false]);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ name: 'recorder', reason: 'r', ended: { reason: 'released' } });
  });

  test('of one among others leaves the lock on disk', async () => {
    await sidecar.put('a');
    await sidecar.put('b');
    await sidecar.release('a');
    expect(isOnDisk()).toEqual([true, true]);
  });

  test('of a lease that is not there is 204, however often', async () => {
    for (let time = 0; time < 2; time += 1) {
      const answer = await sidecar.release('nobody');
      expect([answer.status, answer.text]).toEqual([204, '']);
      expectSecurityHeaders(answer.headers);
    }
  });

  test("ends a connection's lease too, and the stream says so", async () => {
    const hold = await Hold.open(sidecar.target, 'job');
    await hold.line('held');
    expect((await sidecar.release('job')).status).toBe(200);
    expect((await hold.line('ended'))['lease']).toMatchObject({ name: 'job', ended: { reason: 'released' } });
    await hold.ended();
  });
});

describe('POST /v1/leases/{name}/hold', () => {
  test('answers 200 with lines of JSON, the first with the lease', async () => {
    const hold = await Hold.open(sidecar.target, 'job', '?reason=nightly');
    expect([hold.status, hold.response.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
    expectSecurityHeaders(hold.response.headers);
    expect(await hold.line('held')).toMatchObject({ lease: { name: 'job', reason: 'nightly', kind: 'connection', expires: null } });
    expect(isOnDisk()).toEqual([true, true]);
    hold.close();
  });

  test('on a live name is a conflict, whoever holds it', async () => {
    await sidecar.put('timed');
    expectProblem(await sidecar.send('POST', '/v1/leases/timed/hold'), 409, 'name-in-use');
    const hold = await Hold.open(sidecar.target, 'job');
    await hold.line('held');
    expectProblem(await sidecar.send('POST', '/v1/leases/job/hold'), 409, 'name-in-use');
    hold.close();
  });

  test('takes no time to live', async () => {
    expectProblem(await sidecar.send('POST', '/v1/leases/job/hold', { json: { ttl: '5m' } }), 422, 'invalid');
    expect(isOnDisk()).toEqual([false, false]);
  });
});
