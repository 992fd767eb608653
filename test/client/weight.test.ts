import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UpdateLock } from '../../client/src/index';
import { RequestCounter } from '../support/request-counter';
import { Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

const DIST = resolve(__dirname, '../../client/dist');

test('a hold with an empty routine costs a request to take the lock and one to give it back', async () => {
  const sidecar = await Sidecar.start();
  const counter = new RequestCounter();
  const lock = new UpdateLock({ url: await counter.start(sidecar.socketPath) });
  await lock.hold({ name: 'empty' }, () => undefined);
  expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(false);
  expect(counter).toMatchObject({ connections: 2, requests: ['POST /v1/leases/empty/hold HTTP/1.1', 'DELETE /v1/leases/empty HTTP/1.1'] });
  await counter.stop();
});

/** Runs a program of a user's, with `lock` in it, to its end. */
function run(sidecar: Sidecar, program: string): { status: number | null; stdout: string; stderr: string } {
  const text = `import { UpdateLock } from ${JSON.stringify(`${DIST}/index.mjs`)};\nconst lock = new UpdateLock();\n${program}`;
  const env = { PATH: process.env['PATH'], UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` };
  return spawnSync(process.execPath, ['--input-type=module', '--eval', text], { env, encoding: 'utf8', timeout: 25_000 });
}

describe('a program ends when it is done', () => {
  test.each([
    ['although it holds the lock', 'await lock.hold(); console.log("done");'],
    ['although it has held the lock', 'await lock.hold({}, () => undefined); console.log("done");'],
    ['although a connection is kept for the next request', 'await lock.status(); console.log("done");'],
    ['although it has read events', 'const events = lock.events(); const next = events.next(); await events.return(); await next.catch(() => 0); console.log("done");'],
    ['although an abort has ended what it waited for', 'const c = new AbortController(); const w = lock.whenUpdatePending({ signal: c.signal }).catch(() => 0); c.abort(); await w; console.log("done");'],
  ])('%s', async (_why, program) => {
    const sidecar = await Sidecar.start();
    expect(run(sidecar, program)).toMatchObject({ status: 0, stdout: 'done\n', stderr: '' });
    expect((await sidecar.send('GET', '/v1/leases')).body).toEqual({ leases: [] });
  });

  test('although the sidecar has gone for ever in the middle of a hold', async () => {
    const sidecar = await Sidecar.start();
    const pid = String(sidecar.process.pid);
    const program = `await lock.hold(); process.kill(${pid}, 'SIGKILL'); await new Promise((r) => setTimeout(r, 300)); console.log("done");`;
    expect(run(sidecar, program)).toMatchObject({ status: 0, stdout: 'done\n', stderr: '' });
  });
});

describe('a program does not end', () => {
  test('before its hold is there', async () => {
    const sidecar = await Sidecar.start();
    expect(run(sidecar, 'console.log((await lock.hold({ name: "last" })).name);')).toMatchObject({ status: 0, stdout: 'last\n', stderr: '' });
  });

  test('before a hold that looks for the sidecar has been released', async () => {
    const sidecar = await Sidecar.start();
    const pid = String(sidecar.process.pid);
    const program = `const held = await lock.hold(); process.kill(${pid}, 'SIGKILL'); await held.release(); console.log("done");`;
    expect(run(sidecar, program)).toMatchObject({ status: 0, stdout: 'done\n', stderr: '' });
  });
});

test('what a listener throws ends the program as it would anywhere, and is not a rejection of ours', async () => {
  const sidecar = await Sidecar.start();
  const program = 'process.on("uncaughtException", (error) => { console.log(error.message); });\n'
    + 'import { createServer } from "node:net";\n'
    + `const path = ${JSON.stringify(`${sidecar.folder}/scripted.sock`)};\n`
    + 'const line = (o) => JSON.stringify(o) + "\\n";\n'
    + 'const server = createServer((socket) => socket.on("error", () => 0).once("data", () => socket.write("HTTP/1.1 200 OK\\r\\nContent-Type: application/x-ndjson\\r\\n\\r\\n"'
    + ' + line({ event: "held", lease: { name: "a", id: "1", since: "2026-01-01T00:00:00.000Z" } }) + line({ event: "update", update: {} }))));\n'
    + 'await new Promise((done) => server.listen(path, done));\n'
    + 'const told = new Promise((done) => { process.once("uncaughtException", done); });\n'
    + 'const held = await new UpdateLock({ url: "unix:" + path }).hold({ name: "a", onUpdate: () => { throw new Error("mine"); } });\n'
    + 'await told; console.log(held.signal.aborted); await held.release(); server.close();';
  expect(run(sidecar, program)).toMatchObject({ status: 0, stdout: 'mine\nfalse\n', stderr: '' });
});

test('nothing happens on import, and little is loaded', () => {
  const program = `require(${JSON.stringify(`${DIST}/index.js`)}); console.log(process.getActiveResourcesInfo().length, Object.keys(require.cache).every((path) => path.startsWith(${JSON.stringify(DIST)})));`;
  expect(spawnSync(process.execPath, ['--eval', program], { encoding: 'utf8' }).stdout).toBe('0 true\n');
});
