import { LOCK } from '../../client/src/answer';
import { Caller } from '../../client/src/caller';
import { Events } from '../../client/src/events';
import type { Hold } from '../../client/src/hold';
import { holdUntilReleased } from '../../client/src/hold-lock';
import { TIMING } from '../../client/src/timing';
import { answer, jsonAnswer, ScriptedServer, streamHead, type ScriptedRequest } from '../support/scripted-server';
import { until } from '../support/until';

// Jest fails a test in which a rejection is left unhandled, so each of these shows that none is.
afterEach(async () => {
  await ScriptedServer.cleanUp();
  await new Promise(setImmediate);
});

const HURRY = { ...TIMING, heartbeatMs: 50, recoveryMs: 300, connectMs: 300, answerMs: 300, patienceMs: 0, releaseMs: 300, firstPauseMs: 5, longestPauseMs: 20 };

const LEASE = { id: 'ours', name: 'recorder', reason: '', kind: 'connection', since: '2026-01-01T00:00:00.000Z', expires: null, ttlSeconds: null, remainingSeconds: null, renewals: 0, peer: 'unix' };
const HELD = `${JSON.stringify({ event: 'held', lease: LEASE })}\n`;
const NDJSON = streamHead('application/x-ndjson');

const NONSENSE: [string, (request: ScriptedRequest) => void][] = [
  ['closes the connection', ({ socket }) => socket.end()],
  ['resets the connection', ({ socket }) => socket.destroy()],
  ['never answers', () => undefined],
  ['answers with garbage', ({ socket }) => socket.end('\u0000\u0001\u0002 not http at all\r\n\r\n')],
  ['answers with a page of a proxy', ({ socket }) => socket.end(answer(502, 'text/html', '<h1>Bad Gateway</h1>'))],
  ['answers with a page', ({ socket }) => socket.end(answer(200, 'text/html', '<h1>Welcome</h1>'))],
  ['redirects', ({ socket }) => socket.end(answer(302, 'text/plain', '', 'Location: http://localhost/\r\n'))],
  ['answers with a problem that is none', ({ socket }) => socket.end(answer(423, 'application/problem+json', '{"code":'))],
  ['answers with a problem that is null', ({ socket }) => socket.end(answer(423, 'application/problem+json', 'null'))],
  ['answers with a problem without a code', ({ socket }) => socket.end(answer(409, 'application/problem+json', '{}'))],
  ['says that it goes on, and closes', ({ socket }) => socket.end('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n')],
  ['changes the protocol', ({ socket }) => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nxyz')],
  ['sends headers without an end', ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}`)],
  ['sends half an answer', ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half":')],
  ['sends half an answer, and falls silent', ({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half":')],
  ['sends half a problem, and falls silent', ({ socket }) => socket.write('HTTP/1.1 423 Locked\r\nContent-Type: application/problem+json\r\nContent-Length: 100\r\n\r\n{"half":')],
  ['sends a bad chunk', ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnot a chunk')],
];

describe.each(NONSENSE)('a server that %s', (_what, serve) => {
  test('is no sidecar', async () => {
    const server = await ScriptedServer.start(serve);
    const caller = new Caller({ url: server.url }, HURRY);
    await expect(holdUntilReleased(caller, { wait: 0 })).rejects.toMatchObject({ name: 'UnreachableError', code: 'unreachable' });
    await expect(caller.ask({ method: 'GET', path: '/v1/lock' }, LOCK)).rejects.toMatchObject({ name: 'UnreachableError' });
    const events = new Events(caller);
    const next = events.next();
    const before = server.requests.length;
    await until(() => server.requests.length > before);
    await events.return();
    expect(await next).toEqual({ value: undefined, done: true });
    await until(() => server.openConnections === 0);
  });

  test('in the middle of a hold has lost it', async () => {
    const server = await ScriptedServer.start(({ socket }) => socket.write(NDJSON + HELD));
    const held = await holdUntilReleased(new Caller({ url: server.url }, HURRY), { name: 'recorder' });
    server.answerWith(serve);
    server.requests[0]?.socket.destroy();
    await until(() => held.signal.aborted);
    expect(held.signal.reason).toMatchObject({ name: 'LockLostError', code: 'unreachable' });
    await held.release();
  });
});

describe('a hold whose stream', () => {
  const BROKEN: [string, (request: ScriptedRequest) => void][] = [
    ['ends before it has begun', ({ socket }) => socket.end(NDJSON)],
    ['never begins', ({ socket }) => socket.write(NDJSON)],
    ['begins with garbage', ({ socket }) => socket.write(`${NDJSON}%%%\n`)],
    ['begins with null', ({ socket }) => socket.write(`${NDJSON}null\n`)],
    ['begins with a list', ({ socket }) => socket.write(`${NDJSON}[1]\n`)],
    ['begins with half a line', ({ socket }) => socket.end(NDJSON + HELD.slice(0, 30))],
    ['holds nothing', ({ socket }) => socket.write(`${NDJSON}{"event":"held"}\n`)],
    ['holds a lease without a beginning', ({ socket }) => socket.write(`${NDJSON}{"event":"held","lease":{"name":"recorder"}}\n`)],
    ['holds a lease whose id is no text', ({ socket }) => socket.write(NDJSON + HELD.replace('"ours"', '5'))],
    ['holds another name', ({ socket }) => socket.write(NDJSON + HELD.replace('recorder', 'other'))],
    ['has a line without an end', ({ socket }) => socket.write(NDJSON + 'x'.repeat(3_000_000))],
    ['says anything but that it is held', ({ socket }) => {
      socket.write(NDJSON);
      const timer = setInterval(() => socket.write('{"event":"alive"}\n'), 10);
      socket.once('close', () => { clearInterval(timer); });
    }],
  ];

  test.each(BROKEN)('%s holds nothing', async (_what, serve) => {
    const server = await ScriptedServer.start(serve);
    const holding = holdUntilReleased(new Caller({ url: server.url }, HURRY), { name: 'recorder', wait: 0 });
    await expect(holding).rejects.toMatchObject({ name: 'UnreachableError' });
    await until(() => server.openConnections === 0);
  });

  const INTERRUPTIONS: [string, string][] = [
    ['turns to garbage', '\u0000%%%\n'],
    ['has a line without an end', 'x'.repeat(3_000_000)],
    ['falls silent', ''],
    ['falls silent in the middle of a line', '{"event":'],
  ];

  test.each(INTERRUPTIONS)('%s is taken up again', async (_what, text) => {
    const server = await ScriptedServer.start(({ socket }) => socket.write(NDJSON + HELD));
    const held = await holdUntilReleased(new Caller({ url: server.url }, { ...HURRY, recoveryMs: 60_000 }), { name: 'recorder' });
    let again: ScriptedRequest | undefined;
    server.answerWith((request) => {
      again ??= request;
      request.socket.write(NDJSON + HELD);
    });
    server.requests[0]?.socket.write(text);
    await until(() => again !== undefined);
    expect(held.signal.aborted).toBe(false);
    expect(again).toMatchObject({ method: 'POST', path: '/v1/leases/recorder/hold', headers: { 'if-match': '"ours"' } });
    await held.release();
    await until(() => server.openConnections === 0);
  });

  test('is alive stays as it is, whatever is new in it', async () => {
    const server = await ScriptedServer.start(({ socket }) => socket.write(NDJSON + HELD));
    const told: unknown[] = [];
    const held = await holdUntilReleased(new Caller({ url: server.url }, { ...HURRY, heartbeatMs: 5000 }), {
      name: 'recorder',
      onUpdate: (update) => { told.push(update); },
      onDraining: (draining) => { told.push(draining); },
    });
    const socket = server.requests[0]?.socket;
    socket?.write('{"event":"unheard of"}\n{"event":"alive"}\n{"event":"update","update":{"pending":true}}\n{"event":"draining","endsInSeconds":60,"reason":"why"}\n{"event":"draining",');
    await until(() => told.length === 2);
    socket?.write('"endsInSeconds":0}\n');
    await until(() => told.length === 3);
    expect(told).toEqual([{ pending: true }, { endsInSeconds: 60, reason: 'why' }, { endsInSeconds: 0 }]);
    expect(server.requests).toHaveLength(1);
    await held.release();
  });
});

test('a process that was busy or stopped for longer than the silence may last first reads what it was told meanwhile', async () => {
  const server = await ScriptedServer.start(({ socket }) => socket.write(NDJSON + HELD));
  const held = await holdUntilReleased(new Caller({ url: server.url }, { ...HURRY, heartbeatMs: 100 }), { name: 'recorder' });
  server.requests[0]?.socket.write('{"event":"alive"}\n');
  const busyUntilMs = performance.now() + 300;
  while (performance.now() < busyUntilMs);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  expect(server.requests[0]?.socket.destroyed).toBe(false);
  expect(server.requests).toHaveLength(1);
  await held.release();
});

describe('a lease whose connection broke', () => {
  const SINCE = '2026-01-01T00:00:01.000Z';
  const ENDED = { ended: { reason: 'drained', at: SINCE } };
  const holdIt = async (held: string): Promise<[Hold, ScriptedServer]> => {
    const server = await ScriptedServer.start(({ socket }) => socket.write(NDJSON + held));
    return [await holdUntilReleased(new Caller({ url: server.url }, { ...HURRY, recoveryMs: 60_000 }), { name: 'recorder' }), server];
  };

  const LOST: [string, string, (request: ScriptedRequest) => void][] = [
    ['the sidecar says that it has ended', 'drained', ({ socket }) => socket.end(jsonAnswer({ code: 'precondition-failed', detail: 'It has ended.', ...ENDED }, 412))],
    ['the sidecar says that it is not there', 'lease-not-found', ({ socket }) => socket.end(jsonAnswer({ code: 'precondition-failed', detail: 'There is none.' }, 412))],
    ['another is granted', 'lost', ({ socket }) => socket.write(NDJSON + HELD.replace('ours', 'another'))],
  ];

  test.each(LOST)('is lost if %s', async (_what, code, serve) => {
    const [held, server] = await holdIt(HELD);
    server.answerWith(serve);
    server.requests[0]?.socket.destroy();
    await until(() => held.signal.aborted);
    expect(held.signal.reason).toMatchObject({ name: 'LockLostError', code });
    await until(() => server.openConnections === 0);
  });

  const PROBLEMS = [[401, 'unauthorized'], [404, 'not-found'], [409, 'name-in-use'], [423, 'cooldown'], [423, 'updating'], [429, 'too-many-leases'], [500, 'internal'], [503, 'cannot-lock'], [503, 'stopping']] as const;
  const PASSING: [string, (request: ScriptedRequest) => void][] = [
    ...PROBLEMS.map(([status, code]): [string, (request: ScriptedRequest) => void] => [`answers ${String(status)} ${code}`, ({ socket }) => socket.end(jsonAnswer({ code, detail: 'No.' }, status))]),
    ['answers 412 without a problem', ({ socket }) => socket.end(answer(412, 'text/html', '<h1>Precondition Failed</h1>'))],
    ...NONSENSE,
  ];

  test.each(PASSING)('is taken up again after a server that %s', async (_what, serve) => {
    const [held, server] = await holdIt(HELD);
    let attempts = 0;
    server.answerWith((request) => {
      attempts += 1;
      if (attempts < 3) serve(request);
      else request.socket.write(NDJSON + HELD);
    });
    server.requests[0]?.socket.destroy();
    await until(() => attempts >= 3);
    expect(held.signal.aborted).toBe(false);
    expect(server.requests.slice(1).map(({ headers }) => headers['if-match'])).toEqual(server.requests.slice(1).map(() => '"ours"'));
    await held.release();
    expect(held.signal.aborted).toBe(false);
  });

  test('is lost when it must have ended, whatever is answered by then', async () => {
    const server = await ScriptedServer.start(({ socket }) => socket.write(NDJSON + HELD));
    const held = await holdUntilReleased(new Caller({ url: server.url }, HURRY), { name: 'recorder' });
    server.answerWith(({ socket }) => socket.end(jsonAnswer({ code: 'cooldown', detail: 'No.' }, 423)));
    server.requests[0]?.socket.destroy();
    await until(() => held.signal.aborted);
    expect(held.signal.reason).toMatchObject({ name: 'LockLostError', code: 'cooldown' });
  });

  test('is released by its id once the sidecar is back', async () => {
    const [held, server] = await holdIt(HELD);
    server.answerWith(({ socket }) => { socket.destroy(); });
    server.requests[0]?.socket.destroy();
    await until(() => server.requests.length > 1);
    server.answerWith(({ socket }) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'));
    await held.release();
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', path: '/v1/leases/recorder', headers: { 'if-match': '"ours"' } });
  });

  describe('in an older sidecar, without ids', () => {
    const OLD = { ...LEASE, id: undefined };
    const OTHER = { ...OLD, since: SINCE };
    const heldOf = (lease: object): string => `${JSON.stringify({ event: 'held', lease })}\n`;
    const gone = jsonAnswer({ code: 'lease-ended', detail: 'It has ended.', ...ENDED }, 410);

    const CASES: [string, string | null, string, object][] = [
      ['has ended', 'drained', gone, OLD],
      ['is not there', 'lease-not-found', jsonAnswer({ code: 'lease-not-found', detail: 'There is none.' }, 404), OLD],
      ['is another by now', 'lost', jsonAnswer(OTHER), OLD],
      ['is another by the time that it is taken up', 'lost', jsonAnswer(OLD), OTHER],
      ['is still there', null, jsonAnswer(OLD), OLD],
      ['has got an id by an upgrade', null, jsonAnswer(LEASE), LEASE],
    ];

    test.each(CASES)('one that %s: %s', async (_what, code, seen, held) => {
      const [hold, server] = await holdIt(heldOf(OLD));
      let isTakenUp = false;
      server.answerWith(({ method, socket, headers }) => {
        if (method === 'DELETE') {
          socket.end('HTTP/1.1 204 No Content\r\n\r\n');
          return;
        }
        expect(headers['if-match']).toBeUndefined();
        if (method === 'GET') {
          socket.end(seen);
          return;
        }
        isTakenUp = true;
        socket.write(NDJSON + heldOf(held));
      });
      server.requests[0]?.socket.destroy();
      await until(() => hold.signal.aborted || (code === null && isTakenUp));
      if (code === null) expect(hold.signal.aborted).toBe(false);
      else expect(hold.signal.reason).toMatchObject({ name: 'LockLostError', code });
      await hold.release();
      await until(() => server.openConnections === 0);
    });
  });
});

test('a request that broke off may have been granted: for a moment its own name is in use', async () => {
  let attempts = 0;
  const server = await ScriptedServer.start(({ socket }) => {
    attempts += 1;
    if (attempts === 1) socket.destroy();
    else if (attempts === 2) socket.end(jsonAnswer({ code: 'name-in-use', detail: 'In use.', holder: 'recorder' }, 409));
    else socket.write(NDJSON + HELD);
  });
  const held = await holdUntilReleased(new Caller({ url: server.url }, { ...HURRY, answerMs: 60_000 }), { name: 'recorder' });
  expect(attempts).toBe(3);
  await held.release();
});

test('a release that nobody confirms comes to an end all the same', async () => {
  const server = await ScriptedServer.start(({ socket }) => {
    socket.allowHalfOpen = true;
    socket.write(NDJSON + HELD);
  });
  const held = await holdUntilReleased(new Caller({ url: server.url }, { ...HURRY, heartbeatMs: 60_000 }), { name: 'recorder' });
  await held.release();
  expect(held.signal.aborted).toBe(false);
});
