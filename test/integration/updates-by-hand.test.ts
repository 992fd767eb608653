import { RawConnection } from '../conformance/raw';
import { Hold } from '../support/hold';
import { send } from '../support/http';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';
import { metric, posts, startDevice, startWaiting } from '../support/updatable-device';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

const ADMIN = { Authorization: 'Bearer admin' };

test('a lock that was taken away by force is not asked about', async () => {
  const device = await startWaiting({ replacesForMs: 0 }, { UPDATE_LOCK_ADMIN_TOKEN: 'admin' });
  const hold = await Hold.open(device.sidecar.target, 'other');
  await hold.line('held');
  const { status, body } = await device.sidecar.send('POST', '/v1/update', { json: { force: true }, headers: ADMIN });
  expect([status, body.pending]).toEqual([202, true]);
  expect(await hold.line('draining')).toEqual({ event: 'draining', endsInSeconds: 0, reason: 'An update is being forced by unix.' });
  expect((await hold.line('ended'))['lease'].ended.reason).toBe('lost');
  await device.supervisor.history.next('applied');
  expect(posts(device)).toEqual([{ force: true, cancel: true }]);
  const line = await device.sidecar.logged('update is being forced: the lock will be lost', { peer: 'unix' });
  expect(line['holders']).toEqual(['app', 'other']);
});

test.each<[string, Record<string, string>, Record<string, string>]>([
  ['no admin token is set', {}, ADMIN],
  ['none is given', { UPDATE_LOCK_ADMIN_TOKEN: 'admin' }, {}],
  ['the API token is given', { UPDATE_LOCK_ADMIN_TOKEN: 'admin', UPDATE_LOCK_API_TOKEN: 'api' }, { Authorization: 'Bearer api' }],
])('force is forbidden where %s', async (_, environment, headers) => {
  const device = await startDevice({}, environment);
  const { status, body } = await device.sidecar.send('POST', '/v1/update?force=true', { headers });
  expect([status, body.code]).toEqual([403, 'forbidden']);
  // What is allowed comes through afterwards, and nothing else has.
  expect((await device.sidecar.send('POST', '/v1/update')).status).toBe(202);
  expect(posts(device)).toMatchObject([{ force: false }]);
});

test('over TCP, any change needs a token, and force that of the admin', async () => {
  const tokens = { UPDATE_LOCK_ADMIN_TOKEN: 'admin', UPDATE_LOCK_API_TOKEN: 'api', UPDATE_LOCK_PORT: '0' };
  const device = await startDevice({}, tokens);
  const post = async (path: string, token?: string): Promise<number> => {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return (await send(device.sidecar.tcpTarget, 'POST', path, { headers })).status;
  };
  const force = '/v1/update?force=true';
  expect([await post('/v1/update'), await post('/v1/update', 'wrong'), await post(force), await post(force, 'wrong'), await post(force, 'api')]).toEqual([401, 401, 401, 401, 403]);
  expect(posts(device)).toEqual([]);
  expect([await post('/v1/update', 'api'), await post('/v1/update', 'admin'), await post(force, 'admin')]).toEqual([202, 202, 202]);
  expect(posts(device)).toHaveLength(3);
  expect(await device.sidecar.wholeOutput()).not.toMatch(/"admin"|"api"|Bearer/);
});

test.each(['true', '1', 'yes'])('force may be said as %s in a form', async (force) => {
  const device = await startDevice({}, { UPDATE_LOCK_ADMIN_TOKEN: 'admin' });
  expect((await device.sidecar.send('POST', '/v1/update', { form: `force=${force}`, headers: ADMIN })).status).toBe(202);
  expect(posts(device)).toEqual([{ force: true, cancel: true }]);
});

test('what is neither true nor false is refused', async () => {
  const device = await startDevice();
  const { status, body } = await device.sidecar.send('POST', '/v1/update', { form: 'force=maybe' });
  expect([status, body.errors]).toEqual([422, [{ field: 'force', message: '"maybe" is neither true nor false' }]]);
});

test('without force anyone may ask, and nobody loses anything', async () => {
  const device = await startWaiting();
  expect((await device.sidecar.send('POST', '/v1/update')).status).toBe(202);
  await until(() => device.supervisor.history.of('attempt').length >= 2);
  expect(posts(device)).toEqual([{ force: false, cancel: true }]);
  expect((await device.sidecar.send('GET', '/v1/leases/app')).status).toBe(200);
});

test('a download is not aborted', async () => {
  const device = await startDevice();
  await device.supervisor.pushRelease({ holdDownload: true });
  await device.sidecar.send('POST', '/v1/update');
  expect(posts(device)).toEqual([{ force: false, cancel: false }]);
  device.supervisor.device.finishDownload();
  await device.supervisor.history.next('download', ({ state }) => state !== 'started');
  expect(device.supervisor.history.of('download').map(({ state }) => state)).toEqual(['started', 'finished']);
});

test.each<[string, Record<string, string>]>([
  ['not configured', { BALENA_SUPERVISOR_ADDRESS: '', BALENA_SUPERVISOR_API_KEY: '' }],
  ['not there', { BALENA_SUPERVISOR_ADDRESS: 'http://127.0.0.1:9' }],
  ['of another key', { BALENA_SUPERVISOR_API_KEY: 'wrong' }],
])('a Supervisor that is %s cannot be asked', async (_, environment) => {
  const device = await startDevice({}, environment);
  const { status, body } = await device.sidecar.send('POST', '/v1/update');
  expect([status, body.code]).toEqual([503, 'supervisor-unavailable']);
  expect(await metric(device.sidecar, 'rejections_total{code="supervisor-unavailable"}')).toBe(1);
  await device.sidecar.logged('update request refused', { peer: 'unix', code: 'supervisor-unavailable' });
  expect((await device.sidecar.wholeOutput()) + JSON.stringify(body)).not.toContain('wrong');
});

describe('many clients that ask at once', () => {
  test('for an update share one request to the Supervisor', async () => {
    const device = await startWaiting();
    const answers = await Promise.all(Array.from({ length: 500 }, () => device.sidecar.send('POST', '/v1/update')));
    expect(answers.map(({ status }) => status)).toEqual(Array(500).fill(202));
    expectApart(device.supervisor.requests('/v1/update').map(({ atMs }) => atMs));
  }, 60_000);

  test('whether one waits share one reading', async () => {
    const device = await startDevice({}, { UPDATE_LOCK_SUPERVISOR_POLL: '1h' });
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(Array.from({ length: 300 }, () => device.sidecar.send('GET', '/v1/update')));
      expect(answers.every(({ status, body }) => status === 200 && body.supervisor === 'reachable')).toBe(true);
    }
    expectApart(device.supervisor.requests('/v1/device').map(({ atMs }) => atMs));
  }, 60_000);

  test('one after another wait for their turn, and each hears what is so then', async () => {
    const device = await startDevice({}, { UPDATE_LOCK_SUPERVISOR_POLL: '1h' });
    for (let round = 0; round < 3; round += 1) expect((await device.sidecar.send('POST', '/v1/update')).status).toBe(202);
    const asked = device.supervisor.requests('/v1/update').map(({ atMs }) => atMs);
    expect(asked).toHaveLength(3);
    expectApart(asked);
  });
});

/** A second apart: a little less, since what is measured is when they arrive. */
function expectApart(timesMs: readonly number[]): void {
  expect(timesMs.length).toBeGreaterThan(0);
  timesMs.slice(1).forEach((atMs, index) => {
    expect(atMs - (timesMs[index] ?? 0)).toBeGreaterThan(900);
  });
}

test.each(['GET /v1/update', 'GET /v1/update?wait=1h', 'POST /v1/update', 'GET /metrics'])('a client that ends its side after %s gets its answer', async (request) => {
  const device = await startDevice({ cloudDelayMs: 100 }, { UPDATE_LOCK_PORT: '0' });
  for (const target of [device.sidecar.target, device.sidecar.tcpTarget]) {
    const connection = new RawConnection(target);
    connection.socket.end(`${request} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect((await connection.answers()).map(({ status }) => status)).toEqual([request.startsWith('POST') ? 202 : 200]);
  }
});
