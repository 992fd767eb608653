import { Caller } from '../../client/src/caller';
import { Events } from '../../client/src/events';
import { UpdateLock, type LockEvent } from '../../client/src/index';
import { TIMING } from '../../client/src/timing';
import { jsonAnswer, ScriptedServer, streamHead } from '../support/scripted-server';
import { until } from '../support/until';

afterEach(() => ScriptedServer.cleanUp());

const HEAD = streamHead('text/event-stream; charset=utf-8');
const HURRY = { ...TIMING, firstPauseMs: 5, longestPauseMs: 20 };

function event(id: string, type: string, data: unknown): string {
  return `event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}

async function take(events: AsyncIterator<LockEvent>, count: number): Promise<LockEvent[]> {
  const taken: LockEvent[] = [];
  while (taken.length < count) {
    const { value, done } = await events.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}

test('events come as they are sent, comments and what is unheard of left out', async () => {
  const server = await ScriptedServer.start(({ socket }) => {
    socket.write(HEAD);
    socket.write(': alive\n\n');
    socket.write(event('e-1', 'lock', { snapshot: true, state: 'free' }));
    socket.write(event('e-2', 'unheard of', {}));
    socket.write('event:lease\r\nid:e-3\r\ndata:{"name":\r\ndata:"recorder"}\r\n\r\n');
    socket.write('retry: 5\nevent: update\n');
    socket.write('id: e-4\ndata: {"pending":true}\n\n');
  });
  const events = new UpdateLock({ url: server.url }).events();
  expect(await take(events, 3)).toEqual([
    { id: 'e-1', type: 'lock', data: { snapshot: true, state: 'free' } },
    { id: 'e-3', type: 'lease', data: { name: 'recorder' } },
    { id: 'e-4', type: 'update', data: { pending: true } },
  ]);
  await events.return?.();
  expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/v1/events', headers: { accept: 'text/event-stream' } });
});

test('a character that comes in two parts stays one', async () => {
  const server = await ScriptedServer.start(({ socket }) => {
    const bytes = Buffer.from(event('1', 'lease', { reason: 'a ☃ b' }));
    const middle = bytes.indexOf(Buffer.from('☃')) + 1;
    socket.write(Buffer.concat([Buffer.from(HEAD), bytes.subarray(0, middle)]), () => socket.write(bytes.subarray(middle)));
  });
  const events = new UpdateLock({ url: server.url }).events();
  expect(await take(events, 1)).toMatchObject([{ data: { reason: 'a ☃ b' } }]);
  await events.return?.();
});

test.each([
  ['is closed', (): void => undefined, TIMING.heartbeatMs],
  ['is cut off in the middle of an event', (socket: NodeJS.WritableStream): void => void socket.write('event: lock\nid: never\ndata: {"st'), TIMING.heartbeatMs],
  ['turns to garbage', (socket: NodeJS.WritableStream): void => void socket.write('id: never\ndata: %%%\n\n'), TIMING.heartbeatMs],
  ['falls silent', null, 50],
])('a connection that %s is made anew, after the last event', async (_how, interrupt, heartbeatMs) => {
  const server = await ScriptedServer.start(({ socket, headers }) => {
    const number = headers['last-event-id'] === undefined ? 1 : Number(headers['last-event-id']) + 1;
    socket.write(HEAD + event(String(number), 'lease', { number }));
    interrupt?.(socket);
    if (interrupt !== null) socket.end();
  });
  const events = new Events(new Caller({ url: server.url }, { ...HURRY, heartbeatMs }));
  expect((await take(events, 4)).map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
  await events.return();
  await until(() => server.openConnections === 0);
});

test('they go on after the event that is given', async () => {
  const server = await ScriptedServer.start(({ socket }) => socket.write(HEAD + event('e-8', 'lease', {})));
  const events = new UpdateLock({ url: server.url }).events({ lastEventId: 'e-7' });
  await take(events, 1);
  await events.return?.();
  expect(server.requests[0]?.headers['last-event-id']).toBe('e-7');
});

test('a sidecar that is not there is waited for', async () => {
  const server = await ScriptedServer.start(({ socket }) => socket.write(HEAD + event('1', 'lease', {})));
  await server.stop();
  const events = new Events(new Caller({ url: server.url }, HURRY));
  const taking = take(events, 1);
  await server.listen();
  expect(await taking).toMatchObject([{ id: '1' }]);
  await events.return();
});

test('a reader who may not read is told so', async () => {
  const server = await ScriptedServer.start(({ socket }) => socket.end(jsonAnswer({ code: 'forbidden', detail: 'No.' }, 403)));
  await expect(new UpdateLock({ url: server.url }).events().next()).rejects.toMatchObject({ name: 'NotAllowedError', code: 'forbidden' });
});

describe('the connection is closed', () => {
  async function start(): Promise<ScriptedServer> {
    return ScriptedServer.start(({ socket }) => socket.write(HEAD + event('1', 'lease', {})));
  }

  test('when the loop is left', async () => {
    const server = await start();
    for await (const { id } of new UpdateLock({ url: server.url }).events()) {
      expect(id).toBe('1');
      break;
    }
    await until(() => server.openConnections === 0);
  });

  test('when the reader leaves while waiting, and the reader is told that it is over', async () => {
    const server = await start();
    const events = new UpdateLock({ url: server.url }).events();
    await take(events, 1);
    const waiting = events.next();
    expect(await events.return?.()).toEqual({ value: undefined, done: true });
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(await events.next()).toEqual({ value: undefined, done: true });
    await until(() => server.openConnections === 0);
  });

  test('by an abort, whose reason the reader is told', async () => {
    const server = await start();
    const controller = new AbortController();
    const events = new UpdateLock({ url: server.url }).events({ signal: controller.signal });
    await take(events, 1);
    const waiting = events.next();
    controller.abort(new RangeError('enough'));
    await expect(waiting).rejects.toThrow(new RangeError('enough'));
    await until(() => server.openConnections === 0);
  });

  test('or never made, by an abort before', async () => {
    const server = await start();
    await expect(new UpdateLock({ url: server.url }).events({ signal: AbortSignal.abort('enough') }).next()).rejects.toBe('enough');
    expect(server.requests).toEqual([]);
  });
});
