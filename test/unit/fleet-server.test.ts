import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FleetServer } from '../../sidecar/holders/fleet/fleet-server';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** What the holder makes of an answer. */
async function askOne(answer: (response: ServerResponse) => void): ReturnType<FleetServer['ask']> {
  server = createServer((_, response) => { answer(response); });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return new FleetServer({ token: null, instance: 'x', ca: null }).ask({ url, group: 'default', id: 'device' });
}

const json = (status: number, value: string, headers = {}) => (response: ServerResponse): void => {
  response.writeHead(status, headers).end(JSON.stringify({ kind: 'failed_lock', value }));
};

test.each<[string, (response: ServerResponse) => void, unknown]>([
  ["heathcliff26/fleetlock's 202 while it drains", (response) => response.writeHead(202).end(), { kind: 'unclear', detail: 'the server answered with status 202', retryAfterMs: null }],
  ["coreos/airlock's 500 for a full group", json(500, 'all 1 semaphore slots currently locked'), { kind: 'unclear', detail: 'all 1 semaphore slots currently locked', retryAfterMs: null }],
  ['a 423 with Retry-After', json(423, 'full', { 'Retry-After': '20' }), { kind: 'refused', detail: 'full', retryAfterMs: 20_000 }],
  ['a Retry-After that is a date', json(423, 'full', { 'Retry-After': 'Fri, 27 Nov 2026 04:00:00 GMT' }), { kind: 'refused', detail: 'full', retryAfterMs: null }],
  ['a 423 of something that is no FleetLock server', (response) => response.writeHead(423).end('Locked'), { kind: 'unclear', detail: 'the server answered with status 423', retryAfterMs: null }],
  ['a redirection', (response) => response.writeHead(307, { Location: 'http://127.0.0.1:1/' }).end(), { kind: 'unclear', detail: 'the server answered with status 307', retryAfterMs: null }],
  ['control characters', json(423, 'a\u001b[2Jb\n\u202ec'), { kind: 'refused', detail: 'a\uFFFD[2Jb\uFFFD\uFFFDc', retryAfterMs: null }],
  ['a long text', json(423, 'x'.repeat(10_000)), { kind: 'refused', detail: 'x'.repeat(200), retryAfterMs: null }],
  ['a megabyte', json(423, 'x'.repeat(2 ** 20)), { kind: 'unclear', detail: 'the server answered with status 423', retryAfterMs: null }],
  ['an answer without an end', endlessly, { kind: 'unclear', detail: 'the server answered with status 503', retryAfterMs: null }],
  ['a connection that closes within the answer', (response) => { response.writeHead(200, { 'Content-Length': '10' }).write('x', () => { response.destroy(); }); }, { kind: 'none', detail: expect.any(String) as string }],
])('%s', async (_, answer, expected) => {
  expect(await askOne(answer)).toEqual(expected);
});

test('a text is not cut within a character', async () => {
  expect(await askOne(json(423, `x${'\u{1F600}'.repeat(200)}`))).toMatchObject({ detail: expect.not.stringMatching(/\p{Cs}/u) as string });
});

function endlessly(response: ServerResponse): void {
  response.writeHead(503);
  const more = (): void => { response.write('x'.repeat(1024), (error) => { if (!error) setImmediate(more); }); };
  more();
}

test('a server that sends a byte at a time has fifteen seconds for all of its answer', async () => {
  jest.useFakeTimers({ doNotFake: ['setInterval', 'setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask', 'Date', 'performance', 'hrtime'] });
  const answer = await askOne((response) => {
    response.writeHead(200);
    let bytes = 0;
    const timer = setInterval(() => {
      response.write(' ');
      bytes += 1;
      if (bytes === 3) jest.advanceTimersByTime(15_000);
    }, 10);
    response.on('close', () => { clearInterval(timer); });
  });
  jest.useRealTimers();
  expect(answer).toEqual({ kind: 'none', detail: 'it did not answer within 15 s' });
});

test('a server with a certificate of its own is trusted by that alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'update-lock-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=turns', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...options, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const ca = readFileSync(cert, 'utf8');
  server = createSecureServer({ key: readFileSync(key), cert: ca }, (_, response) => response.writeHead(200).end());
  rmSync(folder, { recursive: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const names = { url: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`, group: 'default', id: 'device' };
  expect(await new FleetServer({ token: null, instance: 'x', ca }).ask(names)).toEqual({ kind: 'given' });
  expect(await new FleetServer({ token: null, instance: 'x', ca: null }).ask(names)).toEqual({ kind: 'none', detail: 'self-signed certificate' });
});
