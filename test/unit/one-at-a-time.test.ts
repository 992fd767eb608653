import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { serveOneAtATime } from '../../sidecar/http/one-at-a-time';

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
let server: Server;
let begun: number;
let client: Socket;

beforeEach(async () => {
  // Only those with which connections are closed: real ones deliver the bytes.
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'performance', 'hrtime', 'Date'] });
  begun = 0;
  server = createServer({ keepAliveTimeout: 60_000 });
  server.on('request', serveOneAtATime(server, (_request, response) => {
    begun += 1;
    response.end('x');
  }));
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
