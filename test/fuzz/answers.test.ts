import fc from 'fast-check';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { FleetServer } from '../../sidecar/holders/fleet/fleet-server';
import { FUZZ_SEED, fuzzRuns, fuzzTimeoutMs } from '../support/fuzz';
import { Sidecar } from '../support/sidecar';
import { mutatedBytes } from './mutations';

let servers: Server[] = [];
afterEach(async () => {
  await Sidecar.cleanUp();
  for (const server of servers) server.close();
  servers = [];
});

/** A server that answers each request with these bytes, and closes the connection. */
async function serve(answerTo: (request: string) => Buffer): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (request) => { socket.end(answerTo(request.toString('latin1'))); });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function answer(status: number, body: unknown, headers = ''): Buffer {
  const text = JSON.stringify(body);
  return Buffer.from(`HTTP/1.1 ${String(status)} Any\r\nContent-Type: application/json\r\n${headers}Content-Length: ${String(Buffer.byteLength(text))}\r\n\r\n${text}`);
}

test(`whatever comes of a FleetLock server's refusal, it is no turn unless it says 200 (seed ${String(FUZZ_SEED)})`, async () => {
  let bytes: Buffer = Buffer.alloc(0);
  const url = await serve(() => bytes);
  const server = new FleetServer({ token: null, instance: 'x', ca: null });
  const refusals = fc.constantFrom(
    answer(423, { kind: 'all_slots_full', value: 'all slots are taken' }, 'Retry-After: 20\r\n'),
    answer(500, { kind: 'internal', value: 'no' }),
    answer(202, {}),
  );
  await fc.assert(fc.asyncProperty(mutatedBytes(refusals), async (sent) => {
    bytes = sent;
    const said = await server.ask({ url, group: 'default', id: 'a-device' });
    if (said.kind === 'given') expect(sent.toString('latin1')).toMatch(/HTTP\/1\.1 200/);
    else expect(said.detail).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const { retryAfterMs } = { retryAfterMs: null, ...said };
    expect(retryAfterMs === null || (retryAfterMs >= 0 && Number.isFinite(retryAfterMs))).toBe(true);
  }), { seed: FUZZ_SEED, numRuns: fuzzRuns(200) });
}, fuzzTimeoutMs(60_000));

const SUPERVISOR: Readonly<Record<string, Buffer>> = {
  '/v1/device': answer(200, { update_pending: true, update_downloaded: true, update_failed: true, status: 'Idle', commit: 'abc', supervisor_version: '17.6.1' }),
  '/v2/state/status': answer(200, { status: 'success', appState: 'applying', overallDownloadProgress: null, containers: [{ appId: 1, serviceName: 'main', status: 'Running' }], images: [], release: 'abc' }),
  '/v2/device/tags': answer(200, { status: 'success', tags: [{ id: 1, name: 'lock.hold', value: 'stocktaking' }] }),
  '/v2/device/name': answer(200, { status: 'success', deviceName: 'kitchen' }),
  '/v2/applications/state': answer(200, { app: { appId: 1, commit: 'def', services: {} } }),
  '/v2/journal-logs': Buffer.from('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n1795000000.1 x safe_reboot[1]: /tmp/balena-supervisor/services/1/main/updates.lock exists, busy waiting on unlocking for reboot.\n'),
};

test(`whatever comes of the Supervisor's answers, the sidecar lives and keeps the lock that it must hold (seed ${String(FUZZ_SEED)})`, async () => {
  const runs = fuzzRuns(40);
  const mutants = new Map(Object.entries(SUPERVISOR).map(([path, right]) => [path, fc.sample(mutatedBytes(fc.constant(right)), { seed: FUZZ_SEED, numRuns: runs })]));
  let asked = 0;
  const url = await serve((request) => {
    asked += 1;
    const path = request.split(' ')[1]?.split('?')[0] ?? '';
    return mutants.get(path)?.[asked % runs] ?? answer(204, {});
  });
  const sidecar = await Sidecar.start({
    environment: {
      BALENA_SUPERVISOR_ADDRESS: url,
      BALENA_SUPERVISOR_API_KEY: 'key',
      BALENA_APP_ID: '1',
      BALENA_SERVICE_NAME: 'main',
      UPDATE_LOCK_SUPERVISOR_POLL: '1s',
      UPDATE_LOCK_HOST_POLL: '300ms',
      UPDATE_LOCK_TAGS: 'lock',
      UPDATE_LOCK_SOAK: '1h',
      UPDATE_LOCK_LOG_LEVEL: 'info',
    },
  });
  const { id } = (await sidecar.put('app', { ttl: '24h' })).body as { id: string };
  while (asked < runs) {
    expect([202, 503]).toContain((await sidecar.send('POST', '/v1/update')).status);
    expect((await sidecar.send('GET', '/v1/update')).status).toBe(200);
    for (const path of ['/v1/lock', '/v1/fleet', '/v1/history', '/readyz']) expect((await sidecar.send('GET', path)).status).not.toBe(500);
    expect(sidecar.lockFiles.map((file) => existsSync(file))).toEqual([true, true]);
  }
  expect((await sidecar.send('GET', '/v1/leases/app')).body.id).toBe(id);
  expect(await sidecar.wholeOutput()).not.toContain('internal error');
}, fuzzTimeoutMs(60_000));
