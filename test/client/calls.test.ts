import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LEASES } from '../../client/src/answer';
import { Caller } from '../../client/src/caller';
import { UpdateLock } from '../../client/src/index';
import { TIMING } from '../../client/src/timing';
import { Hold } from '../support/hold';
import { supervisorLocks } from '../support/readers';
import { jsonAnswer, ScriptedServer } from '../support/scripted-server';
import { makeFolder, Sidecar } from '../support/sidecar';

afterEach(async () => {
  await Sidecar.cleanUp();
  await ScriptedServer.cleanUp();
});

const TCP = { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_HOST: '127.0.0.1' };

function tcpUrlOf(sidecar: Sidecar): string {
  const { port } = sidecar.tcpTarget as { port: number };
  return `http://127.0.0.1:${String(port)}`;
}

const LEASE = { id: 'ours', name: 'recorder', reason: '', kind: 'timed', since: '2026-01-01T00:00:00.000Z', expires: '2026-01-01T00:05:00.000Z', ttlSeconds: 300, remainingSeconds: 300, renewals: 0, peer: 'unix' };
const UPDATE = { supervisor: 'reachable', pending: false, waiting: [], downloaded: false, downloading: false, failed: false, since: null, blockedBy: [], deadline: null, draining: false, drainEnds: null };

describe.each(['the Unix socket', 'TCP'])('over %s', (listener) => {
  async function start(): Promise<UpdateLock> {
    const sidecar = await Sidecar.start({ environment: TCP });
    return new UpdateLock({ url: listener === 'TCP' ? tcpUrlOf(sidecar) : `unix:${sidecar.socketPath}` });
  }

  test('a lease is acquired, renewed, seen and released', async () => {
    const lock = await start();
    const lease = await lock.acquire({ name: 'recorder', ttl: '1m', reason: 'recording' });
    expect(lease).toMatchObject({ name: 'recorder', kind: 'timed', ttlSeconds: 60, reason: 'recording', renewals: 0 });
    expect(await lock.renew('recorder')).toMatchObject({ ttlSeconds: 60, reason: 'recording', renewals: 1 });
    expect(await lock.renew('recorder', { ttl: 90, reason: 'still recording' })).toMatchObject({ ttlSeconds: 90, reason: 'still recording' });
    expect(await lock.leases()).toMatchObject([{ name: 'recorder', renewals: 2 }]);
    expect(await lock.status()).toMatchObject({ state: 'held', leases: [{ name: 'recorder' }] });
    expect(await lock.release('recorder')).toMatchObject({ name: 'recorder', ended: { reason: 'released' } });
    expect(await lock.release('recorder')).toBeNull();
    expect(await lock.status()).toMatchObject({ state: 'free', leases: [] });
    const history = await lock.history();
    expect(history.map(({ event }) => event)).toEqual(['released', 'renewed', 'acquired', 'started']);
    expect(history[2]).toEqual({ at: lease.since, event: 'acquired', name: 'recorder', text: 'took the lock', detail: 'recording' });
  });

  test('leases that nobody named have names of their own', async () => {
    const lock = await start();
    const names = [(await lock.acquire()).name, (await lock.acquire()).name];
    expect(new Set(names).size).toBe(2);
    expect((await lock.leases()).map(({ name }) => name)).toEqual(names);
  });
});

describe('what goes wrong is said', () => {
  const lockOf = (sidecar: Sidecar): UpdateLock => new UpdateLock({ url: `unix:${sidecar.socketPath}` });

  test('a lease that has ended cannot be renewed', async () => {
    const lock = lockOf(await Sidecar.start());
    await expect(lock.renew('never')).rejects.toMatchObject({ name: 'LockLostError', code: 'lease-not-found' });
    await lock.acquire({ name: 'recorder' });
    await lock.release('recorder');
    await expect(lock.renew('recorder')).rejects.toMatchObject({ name: 'LockLostError', code: 'released' });
    expect(await lock.leases()).toEqual([]);
  });

  test.each(['', 'a b', '@start', '../x', '-x', 'x'.repeat(65)])('%j is no name', async (name) => {
    const lock = lockOf(await Sidecar.start());
    const wrong = { name: 'InvalidRequestError', code: 'invalid' };
    await expect(lock.acquire({ name })).rejects.toMatchObject(wrong);
    await expect(lock.hold({ name })).rejects.toMatchObject(wrong);
    await expect(lock.renew(name)).rejects.toMatchObject(wrong);
    await expect(lock.release(name)).rejects.toMatchObject(wrong);
  });

  test.each(['soon', '', -1, Number.NaN, '1m1h'])('%j is no duration', async (duration) => {
    const lock = lockOf(await Sidecar.start());
    const wrong = { name: 'InvalidRequestError', code: 'invalid' };
    await expect(lock.acquire({ ttl: duration })).rejects.toMatchObject(wrong);
    await expect(lock.acquire({ wait: duration })).rejects.toMatchObject(wrong);
    await expect(lock.hold({ wait: duration })).rejects.toMatchObject(wrong);
  });

  test('what only the sidecar can know to be wrong it says', async () => {
    const lock = lockOf(await Sidecar.start());
    await expect(lock.acquire({ ttl: '2d' })).rejects.toMatchObject({ name: 'InvalidRequestError', code: 'invalid' });
    await expect(lock.hold({ reason: 'x'.repeat(257) })).rejects.toMatchObject({ name: 'InvalidRequestError', code: 'invalid' });
  });

  test.each(['', 'update-lock', 'ftp://update-lock', 'unix:', 'unix:relative', 'http://user@host', 'http://host?x'])('%j is no address, or none is given', (url) => {
    const make = (): UpdateLock => new UpdateLock({ url });
    if (url === '') expect(make().url).toBe('http://update-lock:8080');
    else expect(make).toThrow(expect.objectContaining({ name: 'InvalidRequestError', code: 'invalid' }) as Error);
  });

  test('a token that is missing or wrong is not allowed to change anything, and may read', async () => {
    const sidecar = await Sidecar.start({ environment: { ...TCP, UPDATE_LOCK_API_TOKEN: 'secret' } });
    const url = tcpUrlOf(sidecar);
    for (const token of [undefined, 'wrong']) {
      const lock = new UpdateLock({ url, token });
      await expect(lock.acquire()).rejects.toMatchObject({ name: 'NotAllowedError', code: 'unauthorized' });
      await expect(lock.hold()).rejects.toMatchObject({ name: 'NotAllowedError', code: 'unauthorized' });
      expect(await lock.leases()).toEqual([]);
    }
    await new UpdateLock({ url, token: 'secret' }).hold({}, () => undefined);
    await expect(new UpdateLock({ url, token: 'two\nlines' }).leases()).rejects.toMatchObject({ name: 'InvalidRequestError' });
  });

  test('a lock that somebody else has is waited for as long as wanted', async () => {
    const sidecar = await Sidecar.start();
    const lock = lockOf(sidecar);
    writeFileSync(sidecar.lockFiles[0] ?? '', 'mine');
    for (const wait of [0, '100ms']) {
      await expect(lock.acquire({ wait })).rejects.toMatchObject({ name: 'LockUnavailableError', code: 'foreign-lock', holder: sidecar.lockFiles[0] });
    }
  });

  test('a name that a connection holds is in use', async () => {
    const sidecar = await Sidecar.start();
    await (await Hold.open(sidecar.target, 'recorder')).line('held');
    await expect(lockOf(sidecar).acquire({ name: 'recorder', wait: '1h' })).rejects.toMatchObject({ name: 'LockUnavailableError', code: 'name-in-use' });
  });

  test('an abort ends a call with its reason', async () => {
    const sidecar = await Sidecar.start();
    const lock = lockOf(sidecar);
    supervisorLocks(sidecar.lockFiles[0] ?? '');
    const controller = new AbortController();
    const acquiring = lock.acquire({ name: 'impatient', wait: '1h', signal: controller.signal });
    await sidecar.logged('request waits', { name: 'impatient' });
    controller.abort('enough');
    await expect(acquiring).rejects.toBe('enough');
    await sidecar.logged('request dropped: its client has gone', { name: 'impatient' });
    await expect(lock.status({ signal: AbortSignal.abort('never') })).rejects.toBe('never');
  });

  test('a sidecar that is just restarting is no reason to fail', async () => {
    const folder = makeFolder();
    const caller = new Caller({ url: `unix:${join(folder, 'update-lock.sock')}` }, { ...TIMING, patienceMs: 60_000 });
    const asking = caller.ask({ method: 'GET', path: '/v1/leases' }, LEASES);
    await Sidecar.start({ folder });
    expect(await asking).toEqual({ leases: [] });
  });

  test.each([
    [500, 'internal', 'UpdateLockError'],
    [503, 'supervisor-unavailable', 'UpdateLockError'],
    [403, 'forbidden', 'NotAllowedError'],
    [404, 'not-found', 'InvalidRequestError'],
    [405, 'method-not-allowed', 'InvalidRequestError'],
    [413, 'too-large', 'InvalidRequestError'],
    [429, 'too-many-leases', 'LockUnavailableError'],
    [503, 'cannot-lock', 'LockUnavailableError'],
  ])('%i %s is a %s', async (status, code, name) => {
    const server = await ScriptedServer.start(({ socket }) => socket.end(jsonAnswer({ code, detail: 'Why it is so.' }, status)));
    const asking = new UpdateLock({ url: server.url }).acquire({ name: 'x', wait: 0 });
    await expect(asking).rejects.toMatchObject({ name, code, message: 'Why it is so.' });
  });
});

describe('what answers is not the sidecar', () => {
  const OTHERS: [string, unknown][] = [
    ['an empty document', {}],
    ['a list', [1]],
    ['another lease', { ...LEASE, name: 'another' }],
    ['a lease without a beginning', { ...LEASE, since: undefined }],
    ['a lease whose id is no text', { ...LEASE, id: {} }],
  ];

  test.each(OTHERS)('if it answers with %s', async (_what, document) => {
    const server = await ScriptedServer.start(({ socket }) => socket.end(jsonAnswer(document)));
    const lock = new UpdateLock({ url: server.url });
    const wrong = { name: 'UnreachableError', code: 'unreachable', message: expect.stringMatching(/is this the sidecar\?$/) as string };
    await expect(lock.acquire({ name: 'recorder', wait: 0 })).rejects.toMatchObject(wrong);
    const calls = [lock.renew('recorder'), lock.release('recorder'), lock.status(), lock.leases(), lock.history(), lock.update(), lock.requestUpdate()];
    for (const { reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[]) expect(reason).toMatchObject(wrong);
  });

  test('but one without ids is an older sidecar', async () => {
    const server = await ScriptedServer.start(({ socket }) => socket.write(jsonAnswer({ ...LEASE, id: undefined })));
    const lock = new UpdateLock({ url: server.url });
    expect(await lock.acquire({ name: 'recorder' })).toMatchObject({ name: 'recorder' });
    await lock.renew('recorder');
    await lock.release('recorder');
    expect(server.requests.map(({ method, headers }) => [method, headers['if-match']])).toEqual([['PUT', undefined], ['PUT', '*'], ['DELETE', undefined]]);
  });
});

describe('a lease is known by its id', () => {
  test('so that its renewal and its release are not those of another that has got its name', async () => {
    const sidecar = await Sidecar.start();
    const [ours, theirs] = [1, 2].map(() => new UpdateLock({ url: `unix:${sidecar.socketPath}` })) as [UpdateLock, UpdateLock];
    const { id } = await ours.acquire({ name: 'recorder' });
    await sidecar.release('recorder');
    const other = await theirs.acquire({ name: 'recorder' });
    expect(other.id).not.toBe(id);
    await expect(ours.renew('recorder')).rejects.toMatchObject({ name: 'LockLostError' });
    expect(await ours.release('recorder')).toBeNull();
    expect(await theirs.leases()).toMatchObject([{ id: other.id, renewals: 0 }]);
    expect(await theirs.release('recorder')).toMatchObject({ id: other.id });
  });

  test('over renewals and a restart of the sidecar', async () => {
    const sidecar = await Sidecar.start();
    const lock = new UpdateLock({ url: `unix:${sidecar.socketPath}` });
    const { id } = await lock.acquire({ name: 'recorder' });
    await sidecar.kill();
    await sidecar.startAgain();
    expect(await lock.acquire({ name: 'recorder' })).toMatchObject({ id, renewals: 1 });
    expect(await lock.renew('recorder')).toMatchObject({ id, renewals: 2 });
    expect(await lock.release('recorder')).toMatchObject({ id });
  });

  test('one that somebody else has acquired is renewed and released by its name', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder');
    const lock = new UpdateLock({ url: `unix:${sidecar.socketPath}` });
    expect(await lock.renew('recorder')).toMatchObject({ renewals: 1 });
    expect(await lock.release('recorder')).toMatchObject({ name: 'recorder' });
  });
});

describe('updates', () => {
  test('are asked for, by force if so wanted', async () => {
    const server = await ScriptedServer.start(({ socket }) => socket.end(jsonAnswer(UPDATE, 202)));
    const lock = new UpdateLock({ url: server.url, token: 'admin' });
    expect(await lock.requestUpdate()).toEqual(UPDATE);
    await lock.requestUpdate({ force: true });
    expect(server.requests.map(({ method, path, body, headers }) => [method, path, JSON.parse(body) as unknown, headers['authorization']])).toEqual([
      ['POST', '/v1/update', {}, 'Bearer admin'],
      ['POST', '/v1/update', { force: true }, 'Bearer admin'],
    ]);
  });

  test('that wait are waited for, again and again, also while the sidecar restarts', async () => {
    const pending = { ...UPDATE, pending: true };
    let asked = 0;
    const server = await ScriptedServer.start(({ socket }) => {
      asked += 1;
      if (asked === 1) socket.end(jsonAnswer(UPDATE));
      else if (asked === 2) socket.destroy();
      else if (asked === 3) socket.end(jsonAnswer({ code: 'stopping', detail: 'Stopping.' }, 503));
      else socket.end(jsonAnswer(pending));
    });
    expect(await new UpdateLock({ url: server.url }).whenUpdatePending()).toEqual(pending);
    expect(server.requests.map(({ path }) => path)).toEqual([0.001, 300, 300, 300].map((wait) => `/v1/update?wait=${String(wait)}`));
  });

  test('of which nothing can be known are not waited for', async () => {
    const server = await ScriptedServer.start(({ socket }) => socket.end(jsonAnswer({ ...UPDATE, supervisor: 'not-configured' })));
    await expect(new UpdateLock({ url: server.url }).whenUpdatePending()).rejects.toMatchObject({ name: 'UpdateLockError', code: 'not-configured' });
  });

  test('are not waited for after an abort', async () => {
    const server = await ScriptedServer.start(() => undefined);
    const controller = new AbortController();
    const waiting = new UpdateLock({ url: server.url }).whenUpdatePending({ signal: controller.signal });
    controller.abort('enough');
    await expect(waiting).rejects.toBe('enough');
  });
});
