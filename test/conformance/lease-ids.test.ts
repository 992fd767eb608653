import { existsSync, mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hold } from '../support/hold';
import { supervisorForces, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';
import { expectProblem } from './expectations';
import type { Answer } from '../support/http';

afterEach(() => Sidecar.cleanUp());

const OTHER = '00000000-0000-4000-8000-000000000000';
const ifMatch = (...ids: string[]) => ({ headers: { 'If-Match': ids.map((id) => `"${id}"`).join(', ') } });
const idOf = ({ body }: Answer): string => body.id as string;
const isOnDisk = (sidecar: Sidecar): boolean => sidecar.lockFiles.every((path) => existsSync(path));

async function holding(sidecar: Sidecar, name: string, id?: string): Promise<{ hold: Hold; id: string; since: string }> {
  const hold = await Hold.open(sidecar.target, name, '', id === undefined ? {} : { 'If-Match': `"${id}"` });
  const { lease } = await hold.line('held') as { lease: { id: string; since: string } };
  return { hold, id: lease.id, since: lease.since };
}

describe('the id of a lease', () => {
  test('is its ETag in every answer with one lease, and stays over renewals', async () => {
    const sidecar = await Sidecar.start();
    const first = await sidecar.put('recorder');
    const id = idOf(first);
    for (const answer of [first, await sidecar.put('recorder'), await sidecar.send('GET', '/v1/leases/recorder'), await sidecar.release('recorder')]) {
      expect([idOf(answer), answer.headers.etag]).toEqual([id, `"${id}"`]);
    }
    expect((await sidecar.send('GET', '/v1/leases/recorder')).body.lease.id).toBe(id);
    const { hold, id: holdId } = await holding(sidecar, 'job');
    expect(hold.response.headers.etag).toBe(`"${holdId}"`);
    expect((await sidecar.send('GET', '/v1/lock')).body.leases).toMatchObject([{ id: holdId }]);
  });

  test('is another for every grant', async () => {
    const sidecar = await Sidecar.start();
    const ids = new Set<string>();
    for (let grant = 0; grant < 3; grant += 1) {
      ids.add(idOf(await sidecar.put('recorder')));
      await sidecar.release('recorder');
      const { hold, id } = await holding(sidecar, 'recorder');
      ids.add(id);
      await sidecar.release('recorder');
      await hold.ended();
    }
    expect(ids.size).toBe(6);
  });

  test('stays over restarts of the sidecar', async () => {
    const sidecar = await Sidecar.start();
    const id = idOf(await sidecar.put('recorder'));
    const gone = idOf(await sidecar.put('gone'));
    await sidecar.release('gone');
    await sidecar.kill();
    const again = await sidecar.startAgain();
    expect(idOf(await again.send('GET', '/v1/leases/recorder'))).toBe(id);
    expect((await again.send('GET', '/v1/leases/gone')).body.lease.id).toBe(gone);
    expect((await again.send('PUT', '/v1/leases/recorder', ifMatch(id))).status).toBe(200);
  });
});

describe('If-Match', () => {
  let sidecar: Sidecar;
  beforeEach(async () => (sidecar = await Sidecar.start()));

  test('of a PUT renews that very lease', async () => {
    const id = idOf(await sidecar.put('recorder'));
    for (const value of [`"${id}"`, `W/"${id}"`, `"${OTHER}", "${id}"`, `"${OTHER}" ,, W/"${id}",`]) {
      const answer = await sidecar.send('PUT', '/v1/leases/recorder', { headers: { 'If-Match': value } });
      expect([value, answer.status, answer.body.id]).toEqual([value, 200, id]);
    }
  });

  test('of a PUT of a lease that has ended is 412 and says how it ended', async () => {
    const id = idOf(await sidecar.put('recorder'));
    await sidecar.release('recorder');
    const answer = await sidecar.send('PUT', '/v1/leases/recorder', ifMatch(id));
    expectProblem(answer, 412, 'precondition-failed');
    expect(answer.body).toMatchObject({ detail: 'This lease "recorder" has ended: released.', ended: { reason: 'released' }, lease: { id, ended: { reason: 'released' } } });
    expect(isOnDisk(sidecar)).toBe(false);
  });

  test('of a PUT of a name that another lease has by now is 412, and says how the one that was meant ended', async () => {
    const id = idOf(await sidecar.put('recorder'));
    await sidecar.release('recorder');
    const another = idOf(await sidecar.put('recorder'));
    const answer = await sidecar.send('PUT', '/v1/leases/recorder', ifMatch(id));
    expectProblem(answer, 412, 'precondition-failed');
    expect(answer.body).toMatchObject({ holder: 'recorder', ended: { reason: 'released' }, lease: { id } });
    const unknown = await sidecar.send('PUT', '/v1/leases/recorder', ifMatch(OTHER));
    expectProblem(unknown, 412, 'precondition-failed');
    expect(unknown.body).not.toHaveProperty('ended');
    expect((await sidecar.send('GET', '/v1/leases/recorder')).body).toMatchObject({ id: another, renewals: 0 });
  });

  test.each(['abc', '"abc', 'abc"', '"abc" "def"', '"abc", def', 'w/"abc"', '*, "abc"', '""abc', ''])('that is %j cannot be read', async (value) => {
    await sidecar.put('recorder');
    for (const [method, path] of [['PUT', ''], ['DELETE', ''], ['POST', '/hold']] as const) {
      expectProblem(await sidecar.send(method, `/v1/leases/recorder${path}`, { headers: { 'If-Match': value } }), 400, 'malformed');
    }
    expect((await sidecar.send('GET', '/v1/leases/recorder')).body.renewals).toBe(0);
  });

  test('of a DELETE ends that very lease, and no other of its name', async () => {
    const id = idOf(await sidecar.put('recorder'));
    expectProblem(await sidecar.send('DELETE', '/v1/leases/recorder', ifMatch(OTHER)), 412, 'precondition-failed');
    expect(isOnDisk(sidecar)).toBe(true);
    expect((await sidecar.send('DELETE', '/v1/leases/recorder', ifMatch(id))).status).toBe(200);
    expect(isOnDisk(sidecar)).toBe(false);
    // There is none any more, which is what was wanted.
    expect((await sidecar.send('DELETE', '/v1/leases/recorder', ifMatch(id))).status).toBe(204);
    await sidecar.put('recorder');
    const late = await sidecar.send('DELETE', '/v1/leases/recorder', ifMatch(id));
    expectProblem(late, 412, 'precondition-failed');
    expect(late.body).toMatchObject({ holder: 'recorder', lease: { id, ended: { reason: 'released' } } });
  });

  test('is tested before the cooldown and without waiting: a lost lease is 412 at once', async () => {
    const id = idOf(await sidecar.put('recorder'));
    const { hold, id: holdId } = await holding(sidecar, 'job');
    supervisorForces(sidecar.lockFiles);
    await hold.ended();
    const startedAtMs = performance.now();
    for (const answer of [
      await sidecar.send('PUT', '/v1/leases/recorder', { ...ifMatch(id), json: { wait: '1m' } }),
      await sidecar.send('POST', '/v1/leases/job/hold?wait=1m', ifMatch(holdId)),
    ]) {
      expectProblem(answer, 412, 'precondition-failed');
      expect(answer.body.ended).toMatchObject({ reason: 'lost' });
    }
    expect(performance.now() - startedAtMs).toBeLessThan(30_000);
    // Without the precondition it is the update that is in the way.
    expect((await sidecar.put('recorder', { wait: 0 })).status).toBe(423);
    supervisorUnlocks(sidecar.lockFiles);
  });

  test('of a lease whose loss the sidecar has not noticed yet is 412 too', async () => {
    const id = idOf(await sidecar.put('recorder'));
    for (const path of sidecar.lockFiles) unlinkSync(path);
    const answer = await sidecar.send('PUT', '/v1/leases/recorder', ifMatch(id));
    expectProblem(answer, 412, 'precondition-failed');
    expect(answer.body.ended).toMatchObject({ reason: 'lost' });
  });
});

describe('while the sidecar cannot know', () => {
  test('If-Match is 503, and 412 as soon as it does', async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'lock'), 'in the way of the directory');
    const sidecar = await Sidecar.start({ folder });
    const requests = [['PUT', ''], ['DELETE', ''], ['POST', '/hold']] as const;
    for (const [method, path] of requests) {
      expectProblem(await sidecar.send(method, `/v1/leases/recorder${path}`, ifMatch(OTHER)), 503, 'cannot-lock');
    }
    unlinkSync(join(folder, 'lock'));
    mkdirSync(join(folder, 'lock'));
    await until(async () => (await sidecar.send('PUT', '/v1/leases/recorder', ifMatch(OTHER))).status === 412);
  });
});

describe('a hold', () => {
  test('with its id takes up again the lease whose connection is gone, after a restart', async () => {
    const sidecar = await Sidecar.start();
    const { id, since } = await holding(sidecar, 'job');
    await sidecar.kill();
    const again = await sidecar.startAgain();
    const taken = await holding(again, 'job', id);
    expect(taken).toMatchObject({ id, since });
    expect((await again.send('GET', '/v1/leases/job')).body).toMatchObject({ id, since, expires: null, renewals: 0 });
    taken.hold.close();
    await again.logged('lease ended', { name: 'job', ended: 'disconnected', lock: 'released' });
  });

  test('with its id takes up the lease also where its old connection still looks open, which is then cut off', async () => {
    const sidecar = await Sidecar.start();
    const { hold: old, id, since } = await holding(sidecar, 'job');
    const taken = await holding(sidecar, 'job', id);
    expect(taken).toMatchObject({ id, since });
    await old.ended();
    expect(old.lines.map(({ event }) => event as string)).toEqual(['held']);
    expect(isOnDisk(sidecar)).toBe(true);
    expect((await sidecar.release('other')).status).toBe(204);
    expect((await sidecar.send('GET', '/v1/leases')).body.leases).toMatchObject([{ id, since, expires: null }]);
    // The lease hangs on the new connection alone.
    taken.hold.close();
    await sidecar.logged('lease ended', { name: 'job', ended: 'disconnected', lock: 'released' });
    expect(sidecar.lines().filter(({ message }) => message === 'lease ended')).toHaveLength(1);
  });

  test('without its id replaces the lease whose connection is gone: another id, the same since, no gap', async () => {
    const sidecar = await Sidecar.start();
    const { id, since } = await holding(sidecar, 'job');
    await sidecar.kill();
    const again = await sidecar.startAgain();
    const replaced = await holding(again, 'job');
    expect(replaced.since).toBe(since);
    expect(replaced.id).not.toBe(id);
    expectProblem(await again.send('POST', '/v1/leases/job/hold', ifMatch(id)), 412, 'precondition-failed');
    expect(again.lines().filter(({ message }) => message === 'lock released')).toEqual([]);
    expect((await again.send('GET', '/v1/leases/job')).body.id).toBe(replaced.id);
  });

  test('of a name that is live is refused without its id, and with that of another', async () => {
    const sidecar = await Sidecar.start();
    const { hold, id } = await holding(sidecar, 'job');
    expectProblem(await sidecar.send('POST', '/v1/leases/job/hold'), 409, 'name-in-use');
    expectProblem(await sidecar.send('POST', '/v1/leases/job/hold', { headers: { 'If-Match': '*' } }), 409, 'name-in-use');
    expectProblem(await sidecar.send('POST', '/v1/leases/job/hold', { headers: { 'If-None-Match': '*' } }), 412, 'precondition-failed');
    expectProblem(await sidecar.send('POST', '/v1/leases/job/hold', ifMatch(OTHER)), 412, 'precondition-failed');
    // One that is held by renewals is no connection's.
    const timed = idOf(await sidecar.put('timed'));
    expectProblem(await sidecar.send('POST', '/v1/leases/timed/hold', ifMatch(timed)), 409, 'name-in-use');
    expectProblem(await sidecar.send('PUT', '/v1/leases/job', ifMatch(id)), 409, 'name-in-use');
    expect(hold.response.closed).toBe(false);
  });

  test('with the id of a lease that has ended is 412', async () => {
    const sidecar = await Sidecar.start();
    const { hold, id } = await holding(sidecar, 'job');
    hold.close();
    await sidecar.logged('lease ended', { name: 'job' });
    const answer = await sidecar.send('POST', '/v1/leases/job/hold', ifMatch(id));
    expectProblem(answer, 412, 'precondition-failed');
    expect(answer.body).toMatchObject({ ended: { reason: 'disconnected' }, lease: { id } });
  });
});
