import fc from 'fast-check';
import { existsSync } from 'node:fs';
import { Sidecar } from '../support/sidecar';
import { expectSecurityHeaders, expectWholeProblem } from './expectations';
import { RawConnection } from './raw';

let sidecar: Sidecar;
beforeAll(async () => (sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_MAX_LEASES: '10', UPDATE_LOCK_LOG_LEVEL: 'info' } })));
afterAll(() => Sidecar.cleanUp());

/** Sends bytes and closes our side; whatever is answered has to be whole, and never a bug of the sidecar's. */
async function survives(bytes: Uint8Array): Promise<void> {
  const connection = new RawConnection(sidecar.target);
  connection.socket.end(bytes);
  for (const { status, headers, body } of await connection.answers()) {
    if (status === 100) continue;
    expect(status).toBeLessThan(500);
    expectSecurityHeaders(headers);
    if (status >= 400) expectWholeProblem(status, headers, JSON.parse(body) as Record<string, unknown>);
  }
}

const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH'];
const PATHS = ['/v1/leases', '/v1/leases/a', '/v1/leases/a/hold', '/v1/leases/@start', '/v1/lock', '/metrics', '/readyz', '/openapi.json', '/'];
const method = fc.constantFrom(...METHODS);
const path = fc.constantFrom(...PATHS);
const bytes = fc.uint8Array({ maxLength: 3000 }).map((each) => Buffer.from(each));

function request(line: string, headers: readonly string[], body: Buffer = Buffer.alloc(0)): Buffer {
  const length = body.length > 0 ? [`Content-Length: ${String(body.length)}`] : [];
  return Buffer.concat([Buffer.from(`${[`${line} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, ...length].join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** Bytes that may stand in a request line or a header, and many that may not. */
const latin1 = fc.array(fc.integer({ min: 0x20, max: 0xff }), { maxLength: 100 }).map((codes) => String.fromCharCode(...codes));
const anything = fc.oneof(latin1, fc.string({ unit: 'binary', maxLength: 50 }).map((text) => encodeURIComponent(text.toWellFormed())), fc.string());
const target = fc.oneof(
  anything.map((text) => `/${text.replaceAll(' ', '')}`),
  anything.map((text) => `/v1/leases/${text.replaceAll(' ', '')}`),
  fc.tuple(path, anything).map(([each, text]) => `${each}?${text.replaceAll(' ', '')}`),
);
const header = fc.tuple(
  fc.oneof(
    fc.constantFrom('Origin', 'Authorization', 'Content-Type', 'Content-Length', 'Content-Encoding', 'Transfer-Encoding', 'If-Match', 'If-None-Match', 'Expect', 'Upgrade', 'Connection', 'Host', 'Range', 'TE', 'Cookie', '__proto__', 'X-Forwarded-For'),
    fc.string({ unit: fc.constantFrom('a', 'b', 'X', 'Y', '-', '_', '!', '#', '$', '%'), minLength: 1, maxLength: 20 }),
  ),
  fc.oneof(latin1, fc.constantFrom('*', '', 'chunked', '100-continue', '999999999999', '-1', 'websocket', 'application/json', 'gzip')),
).map(([name, value]) => `${name}: ${value}`);
const parameters = fc.dictionary(fc.oneof(fc.constantFrom('ttl', 'reason', 'wait', '__proto__'), fc.string()), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
const JSON_TYPE = 'Content-Type: application/json';
const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';

test.each<[string, fc.Arbitrary<Buffer>]>([
  ['bytes that are no request', fc.uint8Array({ minLength: 1, maxLength: 2000 }).map((each) => Buffer.from(each))],
  ['paths and queries', fc.tuple(method, target).map(([each, url]) => request(`${each} ${url}`, []))],
  ['headers', fc.tuple(method, path, fc.array(header, { maxLength: 8 })).map(([each, url, headers]) => request(`${each} ${url}`, headers))],
  ['bodies of any bytes', fc.tuple(method, path, fc.constantFrom(JSON_TYPE, FORM_TYPE, 'X: y'), bytes).map(([each, url, type, body]) => request(`${each} ${url}`, [type], body))],
  ['bodies of any JSON', fc.tuple(method, path, fc.oneof(parameters, fc.jsonValue())).map(([each, url, value]) => request(`${each} ${url}`, [JSON_TYPE], Buffer.from(JSON.stringify(value))))],
  ['bodies of any form', fc.tuple(method, path, anything).map(([each, url, text]) => request(`${each} ${url}`, [FORM_TYPE], Buffer.from(text)))],
  ['chunks', fc.tuple(path, fc.array(bytes, { maxLength: 5 }), latin1).map(([url, chunks, size]) => request(`PUT ${url}`, [JSON_TYPE, `Transfer-Encoding: chunked\r\n\r\n${chunks.map((chunk) => `${chunk.length.toString(16)}${size.slice(0, 2)}\r\n${chunk.toString('latin1')}\r\n`).join('')}0`]))],
  ['several requests at once', fc.array(fc.tuple(method, path, parameters), { minLength: 2, maxLength: 6 }).map((each) => Buffer.concat(each.map(([name, url, value]) => Buffer.from(request(`${name} ${url}`, [JSON_TYPE], Buffer.from(JSON.stringify(value))).toString('latin1').replace('Connection: close\r\n', ''), 'latin1'))))],
])('300 times %s make no bug show', async (_, arbitrary) => {
  await fc.assert(fc.asyncProperty(arbitrary, survives), { numRuns: 300 });
  await expectSane();
}, 60_000);

test('nor is there one in the log', async () => {
  expect(await sidecar.wholeOutput()).not.toContain('internal error');
});

/** It answers, has counted no bug, and the lock is on disk exactly if a lease is live. */
async function expectSane(): Promise<void> {
  expect((await sidecar.send('GET', '/healthz')).status).toBe(200);
  expect((await sidecar.send('GET', '/metrics')).text).toContain('update_lock_errors_total{operation="http"} 0');
  const { leases } = (await sidecar.send('GET', '/v1/leases')).body as { leases: { name: string }[] };
  expect(sidecar.lockFiles.map((file) => existsSync(file))).toEqual(leases.length > 0 ? [true, true] : [false, false]);
  for (const { name } of leases) expect((await sidecar.release(name)).status).toBe(200);
  expect((await sidecar.send('GET', '/v1/lock')).body.state).toBe('free');
}
