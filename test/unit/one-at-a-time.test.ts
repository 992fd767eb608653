import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { serveOneAtATime } from '../../server/http/one-at-a-time';

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
let server: Server;
let begun: number;
let client: Socket;

beforeEach(async () => {
  // Only those with which connections are closed: real ones deliver the bytes.
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'performance', 'hrtime', 'Date'] });
  begun = 0;
  server = createServer({ keepAliveTimeout: 60_000 });
  server.on('request', serveOneAtATime(server, (request, response) => {
    begun += 1;
    if (request.url === '/wait') return;
    response.end('x');
  }, 3));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
});

afterEach(() => {
  client.destroy();
  server.close();
  jest.useRealTimers();
});

async function ask(): Promise<void> {
  client.write(REQUEST);
  await once(client, 'data');
}

test('empty lines do not keep a connection open that has no request', async () => {
  await ask();
  for (let second = 0; second < 18; second += 1) {
    client.write('\r\n');
    jest.advanceTimersByTime(1000);
  }
  await ask();
  jest.advanceTimersByTime(19_000);
  await ask();
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.write('\r\n');
  jest.advanceTimersByTime(20_001);
  await closed;
  expect(begun).toBe(3);
});

test('of thousands of requests that are sent without waiting one is begun, and few are parsed', async () => {
  let parsed = 0;
  server.on('request', () => (parsed += 1));
  // Whether by an end or by a reset: what it had sent has not been read.
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.resume().write(REQUEST.repeat(5000));
  await closed;
  expect(begun).toBe(1);
  expect(parsed).toBeLessThan(30);
});

test('where there are too many, the connection that has been without a request for longest makes room, and no other', async () => {
  const { port } = server.address() as AddressInfo;
  const others: Socket[] = [];
  const open = async (path: string): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    others.push(socket);
    const begins = once(server, 'request');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await begins;
    if (path !== '/wait') await once(socket, 'data');
    return socket;
  };
  // The first asks and waits, the second and third are idle; then a fourth comes.
  client.write('GET /wait HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(server, 'request');
  const idle = await open('/');
  const later = await open('/');
  const gone = new Promise((resolve) => idle.once('close', resolve));
  const last = await open('/');
  await gone;
  expect([client, later, last].map(({ closed }) => closed)).toEqual([false, false, false]);
  // All others busy: nobody makes room.
  await Promise.all([later, last].map(async (socket) => {
    const begins = once(server, 'request');
    socket.write('GET /wait HTTP/1.1\r\nHost: x\r\n\r\n');
    await begins;
  }));
  const refused = connect(port, '127.0.0.1').on('error', () => undefined).resume();
  await new Promise((resolve) => refused.once('close', resolve));
  expect([client, later, last].map(({ closed }) => closed)).toEqual([false, false, false]);
  for (const socket of others) socket.destroy();
});
