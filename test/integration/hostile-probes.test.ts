import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ProbedServer, type Behaviour } from '../support/probed-server';
import { newSeed, seededRandom } from '../support/random';
import { Sidecar } from '../support/sidecar';

afterEach(async () => {
  await Sidecar.cleanUp();
  ProbedServer.cleanUp();
});

type Fields = Readonly<Record<string, unknown>>;

async function probing(url: string, fields: Fields = {}, environment: Record<string, string> = {}): Promise<Sidecar> {
  const probe = { name: 'jenkins', url, every: '100ms', holdWhen: '/busy/', ...fields };
  return Sidecar.start({ environment: { UPDATE_LOCK_PROBES: JSON.stringify([probe]), ...environment } });
}

/** Answers with that, whatever HTTP it is, and keeps the connection open. */
function raw(...parts: readonly (string | Buffer)[]): () => Promise<string> {
  return () =>
    ProbedServer.startRaw((socket) => {
      socket.once('data', () => {
        for (const part of parts) socket.write(part);
      });
    });
}

function http(behaviour: Behaviour): () => Promise<string> {
  return async () => (await ProbedServer.start(behaviour)).url;
}

const HEAD = 'HTTP/1.1 200 OK\r\n';
const TIMEOUT = /^it did not answer within 500ms$/;

test.each<[string, () => Promise<string>, RegExp]>([
  ['refuses', () => Promise.resolve('http://127.0.0.1:1/'), /^connect ECONNREFUSED/],
  ['has no address', () => Promise.resolve('http://no-such-host.invalid/'), /^getaddrinfo (ENOTFOUND|EAI_AGAIN) no-such-host\.invalid$|^it did not answer/],
  ['says nothing', () => ProbedServer.startRaw(() => undefined), TIMEOUT],
  ['hangs up', () => ProbedServer.startRaw((socket) => socket.destroy()), /ECONNRESET|socket hang up/],
  ['hangs up after the request', () => ProbedServer.startRaw((socket) => socket.once('data', () => socket.end())), /socket hang up/],
  ['speaks no HTTP', raw('220 busy ready\r\n'), /^Parse Error/],
  ['says nothing after its headers', raw(HEAD, 'Content-Length: 4\r\n\r\n'), TIMEOUT],
  ['ends before its length', () => ProbedServer.startRaw((socket) => socket.once('data', () => socket.end(`${HEAD}Content-Length: 50\r\n\r\nbusy`))), /before its answer was complete$/],
  ['ends in the middle of a chunk', () => ProbedServer.startRaw((socket) => socket.once('data', () => socket.end(`${HEAD}Transfer-Encoding: chunked\r\n\r\nff\r\nbusy`))), /before its answer was complete$/],
  ['is of two lengths', raw(HEAD, 'Content-Length: 4\r\nContent-Length: 5\r\n\r\nbusy'), /^Parse Error/],
  ['is wrongly chunked', raw(HEAD, 'Transfer-Encoding: chunked\r\n\r\nbusy\r\n'), /^Parse Error|before its answer was complete$/],
  ['says more than its length', raw(HEAD, 'Content-Length: 4\r\n\r\nbusybox'), /^Parse Error/],
  ['has huge headers', raw(HEAD, `X: ${'x'.repeat(100_000)}\r\n\r\nbusy`), /Header overflow/],
  ['has very many headers', raw(HEAD, 'X: x\r\n'.repeat(20_000), '\r\nbusy'), /Header overflow/],
  ['dribbles its headers', () => ProbedServer.startRaw((socket) => { dribble(socket, `${HEAD}X: `); }), TIMEOUT],
  ['dribbles its body', () => ProbedServer.startRaw((socket) => { dribble(socket, `${HEAD}Content-Length: 100000\r\n\r\nbusy`); }), TIMEOUT],
  ['sends informational answers for ever', () => ProbedServer.startRaw((socket) => { dribble(socket, '', 'HTTP/1.1 102 Processing\r\n\r\n'); }), TIMEOUT],
  ['switches protocols', raw('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nbusy'), /./],
  ['redirects', http((_, response) => response.writeHead(302, { Location: '/busy' }).end('busy')), /^it answered with status 302, and redirects are not followed$/],
  ['redirects to itself', http((_, response) => response.writeHead(308, { Location: '/' }).end('busy')), /status 308/],
  ['answers 404', http((_, response) => response.writeHead(404).end('busy')), /^it answered with status 404$/],
  ['answers 500', http((_, response) => response.writeHead(500).end('busy')), /^it answered with status 500$/],
  ['answers 999', raw('HTTP/1.1 999 Busy\r\n\r\nbusy'), /^it answered with status 999$/],
  ['compresses', http((_, response) => response.setHeader('Content-Encoding', 'gzip').end(gzipSync('busy'))), /^its answer is compressed \(gzip\)/],
  ['compresses the transfer', raw(HEAD, 'Transfer-Encoding: gzip, chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n'), /^its answer is compressed \(gzip, chunked\)/],
  ['says it compresses, with what would be obeyed by a terminal', raw(HEAD, 'Content-Encoding: \u001b[2J\r\n\r\nbusy'), /^[\x20-\x7e]+$/],
])('a server that %s cannot be asked, and asking goes on', async (_, start, problem) => {
  const sidecar = await probing(await start(), { timeout: '500ms' });
  expect((await sidecar.logged('probe failed'))['detail']).toMatch(problem);
  expect((await sidecar.send('GET', '/v1/lock')).body.state).toBe('free');
  await sidecar.logged('probe asked', {}, 2);
});

function dribble(socket: NodeJS.WritableStream & { destroyed: boolean; on(event: 'close', listener: () => void): unknown }, begin: string, again = 'x'): void {
  socket.write(begin);
  const timer = setInterval(() => socket.write(again), 20);
  socket.on('close', () => { clearInterval(timer); });
}

const umlaut = '/^ü$/';
test.each<[string, string, () => Promise<string>]>([
  ['streams for ever: what came is matched', '/^x+$/', http((_, response) => {
    const timer = setInterval(() => response.write('x'.repeat(30_000)), 1);
    response.on('close', () => { clearInterval(timer); });
  })],
  ['is longer than 64 KiB: the rest is not looked at', '/^x{10}.*x$/', http(`${'x'.repeat(65_536)}busy`)],
  ['has exactly 64 KiB', '/^x+y$/', http(`${'x'.repeat(65_535)}y`)],
  ['has 64 KiB, and says no more', '/^x+y$/', raw(HEAD, `Content-Length: 65537\r\n\r\n${'x'.repeat(65_535)}y`)],
  ['has a character cut off after 64 KiB', '/x$/', http(`${'x'.repeat(65_535)}ü`)],
  ['is empty', '/^$/', http('')],
  ['is 204', '/^$/', http((_, response) => response.writeHead(204).end())],
  ['ends with the connection', '/^busy$/', () => ProbedServer.startRaw((socket) => socket.once('data', () => socket.end(`${HEAD}\r\nbusy`)))],
  ['comes in pieces', '/^ü$/', () => ProbedServer.startRaw((socket) => socket.once('data', () => {
    socket.write(`${HEAD}Content-Length: 2\r\n\r\n\u00c3`, 'latin1');
    setTimeout(() => socket.write('\u00bc', 'latin1'), 30);
  }))],
  ['is UTF-8 without saying so', umlaut, raw(HEAD, 'Content-Length: 2\r\n\r\n', 'ü')],
  ['is Latin-1', umlaut, raw(HEAD, 'Content-Type: text/plain; charset=ISO-8859-1\r\nContent-Length: 1\r\n\r\n', Buffer.from('ü', 'latin1'))],
  ['is Latin-1, in quotes and capitals', umlaut, raw(HEAD, 'Content-Type: text/plain;Charset="LATIN1"\r\nContent-Length: 1\r\n\r\n', Buffer.from('ü', 'latin1'))],
  ['is UTF-16', umlaut, raw(HEAD, 'Content-Type: text/plain; charset=utf-16le\r\nContent-Length: 2\r\n\r\n', Buffer.from('ü', 'utf16le'))],
  ['is UTF-16 with a mark, and says UTF-8', umlaut, raw(HEAD, 'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n\r\n', Buffer.from('\ufeffü', 'utf16le'))],
  ['has a mark', '/^busy$/', raw(HEAD, 'Content-Length: 7\r\n\r\n', '\ufeffbusy')],
  ['is of an unknown character set', umlaut, raw(HEAD, 'Content-Type: text/plain; charset=klingon\r\nContent-Length: 2\r\n\r\n', 'ü')],
  ['is not the UTF-8 it says it is', '/^\ufffdbusy$/', raw(HEAD, 'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\n', Buffer.from('\xffbusy', 'latin1'))],
  ['has a NUL', '/a\\0b/', http('a\0b')],
  ['says that it is not compressed', '/^busy$/', http((_, response) => response.setHeader('Content-Encoding', 'identity').end('busy'))],
])('an answer that %s', async (_, holdWhen, start) => {
  const sidecar = await probing(await start(), { holdWhen });
  await Promise.race([
    sidecar.logged('lease acquired', { name: '@probe-jenkins' }),
    ...['probe says free', 'probe failed'].map(async (message) => {
      throw new Error(JSON.stringify(await sidecar.logged(message)));
    }),
  ]);
});

test('what is sent: one GET, with what one would expect, and no proxy', async () => {
  const proxy = await ProbedServer.start('busy');
  const server = await ProbedServer.start('idle');
  const proxies = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, ALL_PROXY: proxy.url, NODE_USE_ENV_PROXY: '1' };
  const sidecar = await probing(`${server.url}computer/api/xml?xpath=//busy%20a#there`, {}, proxies);
  await server.asked(1);
  const [{ method, url, headers } = {}] = server.requests;
  expect([method, url]).toEqual(['GET', '/computer/api/xml?xpath=//busy%20a']);
  expect(headers).toEqual({ accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'update-lock', host: new URL(server.url).host, connection: 'close' });
  await sidecar.logged('probe says free');
  expect(proxy.requests).toEqual([]);
});

test('user and password are sent, and seen nowhere', async () => {
  const server = await ProbedServer.start('busy');
  const { host } = new URL(server.url);
  const folder = (await probing(`http://admin:hun%20ter2@${host}/`, { onError: 'hold' })).folder;
  await server.asked(1);
  expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('admin:hun ter2').toString('base64')}`);
  await Sidecar.cleanUp();

  const sidecar = await probing(`http://admin:hun%20ter2@${host}/?token=hunter3`, { onError: 'hold' });
  await sidecar.logged('lease acquired');
  const seen = [readFileSync(sidecar.lockFiles[0] ?? '', 'utf8')];
  server.behaviour = (_, response) => response.writeHead(401, { 'WWW-Authenticate': 'Basic' }).end();
  await sidecar.logged('probe failed');
  await server.stop();
  for (const path of ['/v1/lock', '/v1/leases', '/v1/leases/@probe-jenkins', '/metrics', '/readyz', '/openapi.json']) seen.push((await sidecar.send('GET', path)).text);
  seen.push(readFileSync(sidecar.lockFiles[0] ?? '', 'utf8'), await sidecar.wholeOutput());
  expect(seen.join('\n')).toContain('jenkins');
  expect(seen.join('\n')).not.toMatch(/ter2|hunter3|Basic |YWRtaW46/);
  expect(folder).not.toBe(sidecar.folder);
});

describe('over TLS', () => {
  // Of mode 0700: nobody but root gets at what is in it.
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'update-lock-test-'));
    const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', ['req', ...options, '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')], { stdio: 'ignore' });
  });
  afterAll(() => { rmSync(folder, { recursive: true }); });

  test.each<[string, string, Record<string, string>, RegExp | null]>([
    ['a certificate of nobody we trust is refused', 'localhost', {}, /certificate/],
    ['a certificate of another name is refused', '127.0.0.1', { NODE_EXTRA_CA_CERTS: 'cert.pem' }, /does not match certificate/],
    ['one that is trusted by NODE_EXTRA_CA_CERTS is not, although only root can read that', 'localhost', { NODE_EXTRA_CA_CERTS: 'cert.pem' }, null],
    ['one that is trusted by SSL_CERT_FILE is not, although only root can read that', 'localhost', { SSL_CERT_FILE: 'cert.pem', NODE_OPTIONS: '--use-openssl-ca' }, null],
  ])('%s', async (_, host, trusted, problem) => {
    const server = await ProbedServer.start('busy', { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) });
    const environment = Object.fromEntries(Object.entries(trusted).map(([name, value]) => [name, value.replace(/^cert/, join(folder, 'cert'))]));
    const sidecar = await probing(server.url.replace('127.0.0.1', host), {}, environment);
    if (problem === null) await sidecar.logged('probe says busy');
    else expect((await sidecar.logged('probe failed'))['detail']).toMatch(problem);
  });
});

const SEED = newSeed();
const chance = seededRandom(SEED);

describe(`50 at once (seed ${String(SEED)})`, () => {
  const NAMES = Array.from({ length: 50 }, (_, index) => `p${String(index)}`);
  const all = (url: string, fields: Fields): Record<string, string> => ({
    UPDATE_LOCK_PROBES: JSON.stringify(NAMES.map((name) => ({ name, url: `${url}${name}`, every: '200ms', holdWhen: '/busy/', ...fields }))),
  });

  test('each has its lease, and they do not ask in step', async () => {
    const server = await ProbedServer.start('busy');
    const sidecar = await Sidecar.start({ environment: all(server.url, { every: '1h' }) });
    await server.asked(50);
    for (const name of NAMES) await sidecar.logged('lease acquired', { name: `@probe-${name}` });
    expect((await sidecar.send('GET', '/v1/lock')).body.leases).toHaveLength(50);
    const [first = 0, last = 0] = [server.arrivedAtMs[0], server.arrivedAtMs.at(-1)];
    expect(last - first).toBeGreaterThan(100);
    expect((await sidecar.wholeLog()).filter(({ message }) => message === 'lock released')).toEqual([]);
  });

  test('that hang do not keep anybody from leases, and none is asked twice at once', async () => {
    const byPath = new Map<string, number>();
    const server = await ProbedServer.start((request, response) => {
      const path = request.url ?? '';
      const now = (byPath.get(path) ?? 0) + 1;
      byPath.set(path, now);
      if (now > 1) overlaps.push(path);
      response.on('close', () => byPath.set(path, (byPath.get(path) ?? 0) - 1));
    });
    const overlaps: string[] = [];
    const sidecar = await Sidecar.start({ environment: all(server.url, { every: '100ms', timeout: '300ms' }) });
    await server.asked(150);
    expect(overlaps).toEqual([]);
    expect((await sidecar.put('app')).status).toBe(201);
    expect((await sidecar.release('app')).status).toBe(200);
  });

  test.each<[string, string, string, string]>([
    ['that would take for ever by backtracking', '/^(a+)+$/', `${'a'.repeat(65_535)}!`, 'probe failed'],
    ['that need many steps', '/a[ab]{30}[cd]/', random(65_536), 'probe says free'],
    ['that need a great many steps', '/(.{0,300}a){3}[A-Z]/', random(65_536), 'probe failed'],
  ])('with expressions %s do not stop the sidecar', async (_, holdWhen, body, outcome) => {
    const server = await ProbedServer.start(body);
    const sidecar = await Sidecar.start({ environment: all(server.url, { holdWhen, every: '1s' }) });
    await server.asked(50);
    const tookMs: number[] = [];
    for (let i = 0; i < 50; i += 1) {
      const before = sidecar.processorMs;
      expect((await sidecar.put('app')).status).toBe(i === 0 ? 201 : 200);
      tookMs.push(sidecar.processorMs - before);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // Of its own processor time: all 50 matches without a pause would take 5 s.
    expect(Math.max(...tookMs)).toBeLessThan(1000);
    await sidecar.logged(outcome);
    expect(await sidecar.kill('SIGTERM')).toBe(0);
  }, 120_000);
});

function random(length: number): string {
  return Array.from({ length }, () => (chance() < 0.5 ? 'a' : 'b')).join('');
}
