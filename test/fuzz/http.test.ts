import fc from 'fast-check';
import { existsSync } from 'node:fs';
import { expectWholeProblem } from '../conformance/expectations';
import { RawConnection } from '../conformance/raw';
import { ADMIN_TOKEN, Coordinator } from '../support/coordinator';
import { FUZZ_SEED, fuzzRuns, fuzzTimeoutMs } from '../support/fuzz';
import { exchange, type Target } from '../support/http';
import { holdsBackHost } from '../support/readers';
import { Sidecar } from '../support/sidecar';
import { mutatedBytes, mutatedJson } from './mutations';

let sidecar: Sidecar;
let coordinator: Coordinator;
beforeAll(async () => {
  sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_ADMIN_TOKEN: ADMIN_TOKEN, UPDATE_LOCK_MAX_LEASES: '20', UPDATE_LOCK_LOG_LEVEL: 'info' } });
  coordinator = await Coordinator.start({ COORDINATOR_GROUPS: 'default=2', COORDINATOR_LOG_LEVEL: 'info' });
});
afterAll(async () => {
  await Promise.all([Sidecar.cleanUp(), Coordinator.cleanUp()]);
});

const parameters = (runs: number) => ({ seed: FUZZ_SEED, numRuns: fuzzRuns(runs) });

const HEAD = 'Host: x\r\nConnection: close';
const REQUESTS = [
  `GET /v1/lock HTTP/1.1\r\n${HEAD}\r\n\r\n`,
  `GET /v1/update?wait=0 HTTP/1.1\r\n${HEAD}\r\n\r\n`,
  `PUT /v1/leases/app?ttl=5m&reason=a%20b HTTP/1.1\r\n${HEAD}\r\nIf-None-Match: *\r\n\r\n`,
  `PUT /v1/leases/app HTTP/1.1\r\n${HEAD}\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n{"ttl":"5m","wait":"0s"}`,
  `PUT /v1/leases/app HTTP/1.1\r\n${HEAD}\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nttl=5m\r\n9\r\n&reason=x\r\n0\r\n\r\n`,
  `DELETE /v1/leases/app HTTP/1.1\r\n${HEAD}\r\nIf-Match: "an-id", W/"another"\r\n\r\n`,
  `PUT /v1/override HTTP/1.1\r\n${HEAD}\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n{"updates":"allow","for":"1"}`,
];
// Kept open, and several on one connection.
const pipelined = fc.array(fc.constantFrom(...REQUESTS), { minLength: 1, maxLength: 5 })
  .map((all) => Buffer.from(all.map((each, index) => (index < all.length - 1 ? each.replace('\r\nConnection: close', '') : each)).join(''), 'latin1'));

/** Whatever is answered is whole, and no bug. */
async function answers(target: Target, bytes: Buffer): Promise<void> {
  const connection = new RawConnection(target);
  connection.socket.end(bytes);
  for (const { status, headers, body } of await connection.answers()) {
    expect(status).not.toBe(500);
    if (status >= 400 && (headers['content-type'] ?? '').includes('problem+json')) expectWholeProblem(status, headers, JSON.parse(body) as Record<string, unknown>);
  }
}

test(`whatever comes of requests on the way, the sidecar answers or closes, holds its lock, and renews within a second (seed ${String(FUZZ_SEED)})`, async () => {
  const held = (await sidecar.put('recorder', { ttl: '1h' })).body.id as string;
  await fc.assert(fc.asyncProperty(fc.array(mutatedBytes(pipelined), { minLength: 1, maxLength: 6 }), async (all) => {
    const sent = Promise.all(all.map((bytes) => answers(sidecar.target, bytes)));
    const before = { processorMs: sidecar.processorMs };
    const renewed = await sidecar.send('PUT', '/v1/leases/recorder', { headers: { 'If-Match': `"${held}"` } });
    expect(renewed.status).toBe(200);
    // By the time that the sidecar had, not by that of a busy machine.
    expect(sidecar.processorMs - before.processorMs).toBeLessThan(1000);
    await sent;
    expect(sidecar.lockFiles.map((file) => existsSync(file))).toEqual([true, true]);
  }), parameters(100));
  expect(holdsBackHost(sidecar.lockFiles[0] ?? '')).toBe(true);
  expect((await sidecar.send('GET', '/v1/leases/recorder')).body.id).toBe(held);
  await sidecar.release('recorder');
}, fuzzTimeoutMs(60_000));

type Body = readonly [method: string, path: string, json: unknown];
const OF_SIDECAR: readonly Body[] = [
  ['PUT', '/v1/leases/app', { ttl: '90s', reason: 'why', wait: 0 }],
  ['PUT', '/v1/override', { updates: 'hold', for: '1h', reason: 'why' }],
  ['POST', '/v1/update', { force: false }],
];
const OF_COORDINATOR: readonly Body[] = [
  ['POST', '/v1/pre-reboot', { client_params: { id: 'a-device', group: 'default' } }],
  ['POST', '/v1/steady-state', { client_params: { id: 'a-device', group: 'default' } }],
  ['PUT', '/v1/groups/default', { slots: 2, paused: false }],
];
const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'fleet-lock-protocol': 'true' };

const bodies = (right: readonly Body[]) =>
  fc.constantFrom(...right).chain(([method, path, json]) => mutatedJson(fc.constant(json)).map((mutated) => ({ method, path, json: mutated ?? null })));

test(`whatever JSON a body is, it is answered as the document says, and never by a 500 (seed ${String(FUZZ_SEED)})`, async () => {
  await fc.assert(fc.asyncProperty(bodies(OF_SIDECAR), bodies(OF_COORDINATOR), async (ours, theirs) => {
    expect((await sidecar.send(ours.method, ours.path, { json: ours.json, headers })).status).not.toBe(500);
    expect((await coordinator.send(theirs.method, theirs.path, { json: theirs.json, headers })).status).not.toBe(500);
  }), parameters(150));
  expect(await coordinator.send('GET', '/healthz')).toMatchObject({ status: 200 });
}, fuzzTimeoutMs(60_000));

const FLEET_LOCK = 'POST /v1/pre-reboot HTTP/1.1\r\nHost: x\r\nConnection: close\r\nfleet-lock-protocol: true\r\nUpdate-Lock-Instance: abc\r\nContent-Length: 54\r\n\r\n{"client_params":{"id":"a-device","group":"default"}}\n';

test(`whatever comes of requests to the coordinator, it answers or closes, and lives (seed ${String(FUZZ_SEED)})`, async () => {
  await fc.assert(fc.asyncProperty(mutatedBytes(fc.constant(Buffer.from(FLEET_LOCK))), (bytes) => answers(coordinator.target, bytes)), parameters(100));
  expect((await exchange(coordinator.target, 'GET', '/healthz')).status).toBe(200);
}, fuzzTimeoutMs(60_000));

test('no bug is in either log', async () => {
  expect(await sidecar.wholeOutput()).not.toContain('internal error');
  await coordinator.kill('SIGTERM');
  expect(coordinator.output).not.toContain('internal error');
});
