import { Sidecar } from '../support/sidecar';
import { expectWholeProblem } from './expectations';
import { exchange, RawConnection, type RawAnswer } from './raw';

let sidecar: Sidecar;
beforeAll(async () => (sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0' } })));
afterAll(() => Sidecar.cleanUp());

const bodyOf = (answer: RawAnswer | undefined): Record<string, unknown> => JSON.parse(answer?.body ?? '{}') as Record<string, unknown>;
const names = async (): Promise<string[]> => ((await sidecar.send('GET', '/v1/leases')).body.leases as { name: string }[]).map(({ name }) => name);

describe.each(['the Unix socket', 'TCP'])('over %s', (listener) => {
  const target = () => (listener === 'TCP' ? sidecar.tcpTarget : sidecar.target);

  test.each<[string, string | Uint8Array, number, string]>([
    ['text', 'hello, is there anybody?\r\n\r\n', 400, 'malformed'],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex'), 400, 'malformed'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'malformed'],
    ['zeros', Buffer.alloc(100), 400, 'malformed'],
    ['a method that does not exist', 'BREW /v1/lock HTTP/1.1\r\n\r\n', 400, 'malformed'],
    ['a header without a colon', 'GET /v1/lock HTTP/1.1\r\nhello\r\n\r\n', 400, 'malformed'],
    ['a space in the path', 'GET /v1/ lock HTTP/1.1\r\n\r\n', 400, 'malformed'],
    ['a length that is none', 'PUT /v1/leases/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n', 400, 'malformed'],
    ['two lengths', 'PUT /v1/leases/x HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n', 400, 'malformed'],
    ['a length and chunks, as smugglers do', 'PUT /v1/leases/x HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'malformed'],
    ['a head of 20 KiB in one header', `GET /v1/lock HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 413, 'too-large'],
    ['a head of 20 KiB in many headers', `GET /v1/lock HTTP/1.1\r\n${`X: ${'y'.repeat(100)}\r\n`.repeat(200)}\r\n`, 413, 'too-large'],
    ['more than 64 header fields', `GET /v1/lock HTTP/1.1\r\n${'X: y\r\n'.repeat(65)}\r\n`, 413, 'too-large'],
    ['a path of 20 KiB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 413, 'too-large'],
  ])('%s gets a problem, and the end of the connection', async (_, bytes, status, code) => {
    const answers = await exchange(target(), bytes);
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    for (const answer of answers) {
      expect(bodyOf(answer)['code']).toBe(code);
      expect(answer.headers['connection']).toBe('close');
      expectWholeProblem(answer.status, answer.headers, bodyOf(answer));
    }
  });

  test('a connection serves many requests one after another', async () => {
    const connection = new RawConnection(target());
    for (let count = 1; count <= 200; count += 1) {
      const [method, path] = count % 2 === 1 ? ['PUT', '/v1/leases/kept'] : ['DELETE', '/v1/leases/kept'];
      connection.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const answers = await connection.first(count);
      expect(answers.at(-1)?.status).toBe(count % 2 === 1 ? 201 : 200);
    }
    connection.close();
  });

  test('a request that is sent before the last one was answered ends the connection, and is not begun', async () => {
    const request = (method: string, path: string): string => `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const answers = await exchange(target(), request('PUT', '/v1/leases/first') + request('PUT', '/v1/leases/second') + request('DELETE', '/v1/leases/first'));
    expect(answers.map(({ status }) => status)).toEqual([201]);
    expect(await names()).toEqual(['first']);
    await sidecar.release('first');
  });

  test('a body in chunks is read, one that grows too long is refused', async () => {
    const head = 'PUT /v1/leases/chunked HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    const [read] = await exchange(target(), `${head}5\r\n{"ttl\r\n4\r\n":7}\r\n0\r\n\r\n`);
    expect([read?.status, JSON.parse(read?.body ?? '')]).toEqual([201, expect.objectContaining({ ttlSeconds: 7 })]);
    const chunk = `1000\r\n${' '.repeat(0x1000)}\r\n`;
    const refused = await exchange(target(), `${head}${chunk.repeat(6)}0\r\n\r\n`);
    expect(refused.map(({ status }) => status)).toEqual([413]);
    await sidecar.release('chunked');
  });

  test('the rest of a body that nobody wants is not taken for a request', async () => {
    const smuggled = 'PUT /v1/leases/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200);
    const answers = await exchange(target(), `PUT /v1/leases/.bad HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(smuggled.length)}\r\n\r\n${smuggled}`);
    expect(answers.map(({ status }) => status)).toEqual([422]);
    expect(await names()).not.toContain('smuggled');
  });

  test('HTTP/1.0 and a missing host are understood', async () => {
    const [answer] = await exchange(target(), 'GET /healthz HTTP/1.0\r\n\r\n');
    expect(answer?.status).toBe(200);
  });

  test('a client that says "Expect: 100-continue" is told to go on', async () => {
    const connection = new RawConnection(target());
    connection.write('PUT /v1/leases/expected HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n');
    expect((await connection.first(1)).map(({ status }) => status)).toEqual([100]);
    connection.write('{"ttl":9}');
    expect((await connection.answers()).map(({ status }) => status)).toEqual([100, 201]);
    await sidecar.release('expected');
  });

  test.each([
    ['GET http://localhost/v1/lock HTTP/1.1', 200], ['GET http://localhost?x HTTP/1.1', 422], ['OPTIONS * HTTP/1.1', 404], ['GET * HTTP/1.1', 404],
    ['GET http://a:b@c:99999/ HTTP/1.1', 200], ['GET /v1/lock#x HTTP/1.1', 200], ['GET /?%zz HTTP/1.1', 422], ['GET /../v1/lock HTTP/1.1', 404],
  ])('the request line %j is answered %d, as everything is', async (line, status) => {
    const [answer] = await exchange(target(), `${line}\r\nHost: x\r\nConnection: close\r\n\r\n`);
    if (answer === undefined) throw new Error('no answer');
    expect(answer.status).toBe(status);
    if (status >= 400) expectWholeProblem(answer.status, answer.headers, bodyOf(answer));
  });

  test('whoever goes away in the middle of a request gets nothing', async () => {
    for (const part of ['PUT /v1/le', 'PUT /v1/leases/half HTTP/1.1\r\nHost: x\r\n', 'PUT /v1/leases/half HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"ttl"']) {
      const connection = new RawConnection(target());
      await new Promise<void>((resolve) => connection.write(part).socket.end(resolve));
      await connection.answers();
    }
    expect(await names()).not.toContain('half');
  });
});

test('a client that never sends the rest of a body is cut off in the end', async () => {
  const half = 'PUT /v1/leases/.bad HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\nPUT /v1/leases/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  const answers = await Promise.all([sidecar.target, sidecar.tcpTarget].map((target) => exchange(target, half)));
  expect(answers.map((those) => those.map(({ status }) => status))).toEqual([[422], [422]]);
  expect(await names()).not.toContain('smuggled');
}, 60_000);
