import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SupervisorApi, type ReadingResult } from '../../sidecar/supervisor/supervisor-api';

const KEY = 's3cr3tKey';
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const IDLE = '{"update_pending":false}';

let server: Server | undefined;
const received: string[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  received.length = 0;
  if (server?.listening === true) await new Promise((resolve) => server?.close(resolve));
});

/** One that answers each request with these bytes, whatever they are; and then closes the connection, unless told not to. */
async function answering(bytes: string, ends = true): Promise<SupervisorApi> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (chunk) => {
      received.push(chunk.toString());
      if (ends) socket.end(bytes);
      else socket.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new SupervisorApi({ url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, apiKey: KEY, isHeliosAlone: false });
}

test.each<[string, string, boolean]>([
  ['nothing', '', true],
  ['what is not HTTP', 'hello\r\n\r\n', true],
  ['a body that ends too soon', `${HEAD}Content-Length: 500\r\n\r\n${IDLE}`, true],
  ['a chunk that ends too soon', `${HEAD}Transfer-Encoding: chunked\r\n\r\nff\r\n${IDLE}`, true],
  ['a chunk of no known length', `${HEAD}Transfer-Encoding: chunked\r\n\r\nxyz\r\n${IDLE}`, true],
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n', true],
  ['a head without end', `${HEAD}X: ${'x'.repeat(100_000)}\r\n`, true],
  ['more than any Supervisor', `${HEAD}\r\n{"update_pending":false,"x":"${'x'.repeat(1_000_000)}"}`, true],
  ['the same without an end', `${HEAD}\r\n{"update_pending":false,"x":"${'x'.repeat(1_000_000)}`, false],
  ['JSON of another kind', `${HEAD}\r\n[[[${'['.repeat(10_000)}`, true],
  ['null', `${HEAD}\r\nnull`, true],
  ['nothing, successfully', 'HTTP/1.1 204 No Content\r\n\r\n', true],
  ['a redirection', 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n', true],
  ['status 999', 'HTTP/1.1 999 Hm\r\nContent-Length: 0\r\n\r\n', true],
])('an answer that is %s is a problem, and no more', async (_, bytes, ends) => {
  const api = await answering(bytes, ends);
  const result = await api.read();
  // At once, not at the end of the time that an answer may take.
  expect(result).toEqual({ ok: false, problem: expect.not.stringContaining('within') });
  expect(JSON.stringify(result)).not.toContain(KEY);
});

test.each<[string, string, string | null]>([
  ['the name', `${HEAD}\r\n{"status":"success","deviceName":"holy-wildflower"}`, 'holy-wildflower'],
  ['no name', `${HEAD}\r\n{"status":"success","deviceName":""}`, null],
  ['a name that is no text', `${HEAD}\r\n{"status":"success","deviceName":{"x":1}}`, null],
  ['null', `${HEAD}\r\nnull`, null],
  ['what is not JSON', `${HEAD}\r\n{"deviceName":`, null],
  ['that it has no such endpoint', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', null],
  ['nothing', '', null],
])('asked for the name of the device and answering %s', async (_, bytes, name) => {
  expect(await (await answering(bytes)).readName()).toBe(name);
});

test('one that comes before the connection is closed is an answer', async () => {
  const api = await answering(`HTTP/1.1 100 Continue\r\n\r\n${HEAD}Content-Length: ${String(IDLE.length)}\r\n\r\n${IDLE}`, false);
  expect(await api.read()).toMatchObject({ ok: true, reading: { pending: false } });
});

test('nobody there is a problem', async () => {
  const api = new SupervisorApi({ url: 'http://127.0.0.1:1', apiKey: KEY, isHeliosAlone: false });
  expect(await api.read()).toEqual({ ok: false, problem: expect.stringContaining('ECONNREFUSED') });
  expect(await api.update({ force: false, cancel: true })).toEqual({ ok: false, problem: expect.stringContaining('ECONNREFUSED') });
});

test('a name that there is not is a problem', async () => {
  const api = new SupervisorApi({ url: 'http://nobody.invalid:48484', apiKey: KEY, isHeliosAlone: false });
  expect(await api.read()).toEqual({ ok: false, problem: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) });
});

test.each([200, 201, 400, 401, 404, 423, 500, 503])('asking for an update, an answer of %i is a problem', async (status) => {
  const api = await answering(`HTTP/1.1 ${String(status)} X\r\nContent-Length: 0\r\n\r\n`);
  expect(await api.update({ force: false, cancel: true })).toEqual({ ok: false, problem: expect.stringMatching(status === 401 ? /refuses the API key/ : String(status)) });
});

test.each<[string, string, boolean, string]>([
  ['is longer than the tags of any device, and has no end', `${HEAD}\r\n{"tags":[{"name":"${'x'.repeat(1_100_000)}`, false, 'its answer is longer than 1048576 bytes'],
  ['has none', `${HEAD}\r\n{"status":"success"}`, true, 'its answer has no tags in it'],
  ['has one that is no list', `${HEAD}\r\n{"tags":{"name":"a","value":"b"}}`, true, 'its answer has no tags in it'],
  ['is null', `${HEAD}\r\nnull`, true, 'its answer has no tags in it'],
  ['ends too soon', `${HEAD}Content-Length: 500\r\n\r\n{"tags":[]}`, true, 'aborted'],
  ['is a refusal', 'HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n', true, 'it refuses the API key'],
])('asking for tags, an answer that %s is a problem', async (_, bytes, ends, problem) => {
  const api = await answering(bytes, ends);
  expect(await api.readTags()).toEqual({ ok: false, isUnknown: false, problem });
});

test('tags without a name are left out, and a value that is no text is empty', async () => {
  const tags = [{ id: 1, name: 'a', value: 'b' }, { name: 'c', value: null }, { name: 'd' }, { value: 'e' }, null, 'f', [], { name: 5, value: 'g' }];
  const api = await answering(`${HEAD}\r\n${JSON.stringify({ status: 'success', tags })}`);
  expect(await api.readTags()).toEqual({ ok: true, tags: [{ name: 'a', value: 'b' }, { name: 'c', value: '' }, { name: 'd', value: '' }] });
});

test('the key goes in a header, and nowhere else', async () => {
  const api = await answering('HTTP/1.1 204 No Content\r\n\r\n');
  expect(await api.update({ force: true, cancel: false })).toEqual({ ok: true, status: 204 });
  const [head = '', body] = received.join('').split('\r\n\r\n');
  expect(head.split('\r\n')[0]).toBe('POST /v1/update HTTP/1.1');
  expect(head.split('\r\n').filter((line) => line.includes(KEY))).toEqual([`Authorization: Bearer ${KEY}`]);
  expect(body).toBe('{"force":true,"cancel":false}');
});

test('an answer that comes a byte at a time is not waited for without end', async () => {
  const api = await answering(HEAD, false);
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'performance', 'hrtime', 'Date', 'setInterval', 'clearInterval'] });
  try {
    let result: ReadingResult | undefined;
    void api.read().then((read) => { result = read; });
    while (received.length === 0) await nextTurn();
    for (let second = 1; second <= 10; second += 1) {
      expect(result).toBeUndefined();
      for (const socket of sockets) await new Promise<void>((resolve) => socket.write('X', () => { resolve(); }));
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      jest.advanceTimersByTime(1000);
    }
    await nextTurn();
    expect(result).toEqual({ ok: false, problem: 'it did not answer within 10 s' });
  } finally {
    jest.useRealTimers();
  }
});
