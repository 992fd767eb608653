import { existsSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { RawConnection } from '../conformance/raw';
import { Hold } from '../support/hold';
import { send, type SendOptions } from '../support/http';
import { ProbedServer } from '../support/probed-server';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { startDevice } from '../support/updatable-device';
import { until } from '../support/until';

/** As long and as odd as real ones, so that none of them is anywhere by chance. */
const SECRETS = {
  api: 'QnF4dGVsYXBpLTdrV3',
  admin: 'XzlwUnYtYWRtaW4wTm',
  key: 'b07e5c1d93fa4286ae11',
  user: 'wq8operator3Tz',
  password: 'Hj5_uncommonly.Lr0ng',
  query: 'eyJhbGciOiJIUzI1Nk',
  given: 'not7the0token4Gvx',
};

/** Any of them, as it is or as HTTP's Basic scheme has it. */
const FORMS = [...Object.values(SECRETS), Buffer.from(`${SECRETS.user}:${SECRETS.password}`).toString('base64').slice(0, 12)];
const SECRET = new RegExp(FORMS.map((form) => form.replaceAll('.', '\\.')).join('|'), 'i');

const TOKENS = { UPDATE_LOCK_API_TOKEN: SECRETS.api, UPDATE_LOCK_ADMIN_TOKEN: SECRETS.admin };
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  ProbedServer.cleanUp();
});

/** Every path of the interface with every method, and some more. */
async function everyRequest(sidecar: Sidecar): Promise<[string, string][]> {
  const paths = Object.keys((await sidecar.send('GET', '/openapi.json')).body.paths as object).filter((path) => !/\/(hold|events)$/.test(path));
  const all = [...paths, '/nothing', '/v1/leases/.wrong', '/v1/leases/@start', '/v1/lock?unknown=1', '/v1/update?force=true', '/v1/leases/%ff'];
  return ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'].flatMap((method) => all.map((path): [string, string] => [method, path.replace('{name}', 'app')]));
}

const WAYS: SendOptions[] = [
  {},
  { headers: bearer(SECRETS.given) },
  { headers: bearer(SECRETS.api) },
  { headers: { Authorization: `Basic ${SECRETS.given}` } },
  { headers: { ...bearer(SECRETS.admin), Host: 'evil.example' } },
  { headers: { ...bearer(SECRETS.admin), Origin: 'http://evil.example' } },
];

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
}

test('no token, key or credential is in any answer, stream, metric, file or line of the log', async () => {
  const server = await ProbedServer.start('busy');
  const url = `http://${SECRETS.user}:${SECRETS.password}@${new URL(server.url).host}/?token=${SECRETS.query}`;
  const probes = JSON.stringify([{ name: 'camera', url, holdWhen: '/busy/', every: '1s' }]);
  const { sidecar, supervisor } = await startDevice({ apiKey: SECRETS.key }, { ...TOKENS, UPDATE_LOCK_PORT: '0', UPDATE_LOCK_PROBES: probes });
  await sidecar.logged('lease acquired', { name: '@probe-camera' });
  const seen: string[] = [];
  const keep = async (path: string, method = 'GET', options: SendOptions = {}, target = sidecar.tcpTarget): Promise<number> => {
    const { status, headers, text } = await send(target, method, path, options);
    seen.push(JSON.stringify(headers), text);
    return status;
  };

  const hold = await Hold.open(sidecar.target, 'job');
  await hold.line('held');
  const events = new RawConnection(sidecar.tcpTarget).write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
  events.socket.on('data', (chunk: Buffer) => seen.push(chunk.toString()));

  await supervisor.pushRelease();
  await sidecar.logged('update pending');
  const statuses = new Set<number>();
  const requests = await everyRequest(sidecar);
  // Side by side: each way waits for readings of the Supervisor, of which there is one a second at most.
  await Promise.all(WAYS.map(async (options) => {
    for (const [method, path] of requests) {
      for (const target of [sidecar.tcpTarget, sidecar.target]) statuses.add(await keep(path, method, options, target));
    }
  }));
  statuses.add(await keep('/v1/leases/nobodys', 'DELETE', { headers: bearer(SECRETS.api) }));
  expect([...statuses]).toEqual(expect.arrayContaining([200, 202, 204, 400, 401, 403, 404, 405, 422]));
  seen.push(...filesIn(sidecar.folder));

  server.behaviour = (_, response) => response.writeHead(401).end(SECRETS.password);
  await sidecar.logged('probe failed');
  await supervisor.stopListening();
  await until(async () => (await sidecar.send('GET', '/v1/update')).body.supervisor === 'unreachable');
  expect(await keep('/v1/update', 'POST', { headers: bearer(SECRETS.api) })).toBe(503);
  expect(await keep('/v1/update?force=true', 'POST', { headers: bearer(SECRETS.admin) })).toBe(503);
  if (existsSync(sidecar.lockFiles[0] ?? '')) unlinkSync(sidecar.lockFiles[0] ?? '');
  await hold.line('ended');
  for (const path of ['/v1/lock', '/metrics', '/readyz', '/v1/leases']) await keep(path);

  seen.push(JSON.stringify(hold.lines), await sidecar.wholeOutput(), ...filesIn(sidecar.folder));
  expect(seen.join('\n')).toContain('camera');
  expect(seen.filter((text) => SECRET.test(text)).map((text) => text.slice(0, 500))).toEqual([]);
});

test('nor in what is said of wrong settings', async () => {
  const sidecar = Sidecar.spawn({
    environment: {
      UPDATE_LOCK_API_TOKEN: `${SECRETS.api} x`,
      UPDATE_LOCK_ADMIN_TOKEN: `${SECRETS.admin}\n`,
      BALENA_SUPERVISOR_ADDRESS: 'http://127.0.0.1:48484',
      BALENA_SUPERVISOR_API_KEY: `${SECRETS.key} x`,
      UPDATE_LOCK_PROBES: `[{"name":"a","url":"http://${SECRETS.user}:${SECRETS.password}@host:x/"}]`,
      UPDATE_LOCK_PORT: 'x',
    },
  });
  expect(await sidecar.exited()).toBe(78);
  for (const name of ['UPDATE_LOCK_API_TOKEN', 'UPDATE_LOCK_ADMIN_TOKEN', 'BALENA_SUPERVISOR_API_KEY', 'UPDATE_LOCK_PROBES', 'UPDATE_LOCK_PORT']) expect(sidecar.output).toContain(name);
  expect(sidecar.output).not.toMatch(SECRET);
});
