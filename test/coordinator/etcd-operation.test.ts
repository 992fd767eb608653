import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Coordinator } from '../support/coordinator';
import { Etcd } from '../support/etcd';
import { LossyProxy } from '../support/lossy-proxy';
import { makeFolder } from '../support/sidecar';
import { until } from '../support/until';

let etcd: Etcd;
const proxies: LossyProxy[] = [];

afterEach(async () => {
  await Coordinator.cleanUp();
  for (const proxy of proxies.splice(0)) proxy.close();
  await etcd.stop();
});

test('another member is asked when one is gone, and two coordinators share turns', async () => {
  etcd = await Etcd.start(3);
  const [one, other] = [await Coordinator.start({ COORDINATOR_STORE: etcd.store }), await Coordinator.start({ COORDINATOR_STORE: etcd.store })];
  expect((await one.ask('a')).status).toBe(200);
  await etcd.killMember(etcd.members[0]!); // eslint-disable-line @typescript-eslint/no-non-null-assertion
  await until(async () => (await other.ask('a')).status === 200);
  expect((await other.ask('b')).body.kind).toBe('all_slots_full');
  expect((await one.giveBack('a')).status).toBe(200);
  await until(async () => (await other.ask('b')).status === 200);
  expect(await one.holders()).toEqual(['b']);
});

test('without a majority nothing is given, and it says so; afterwards all goes on', async () => {
  etcd = await Etcd.start(3);
  const coordinator = await Coordinator.start({ COORDINATOR_STORE: etcd.store, COORDINATOR_GROUPS: 'default=2' });
  expect((await coordinator.ask('a')).status).toBe(200);
  const gone = etcd.members.slice(1);
  for (const member of gone) await etcd.killMember(member);
  const refused = await coordinator.ask('b');
  expect([refused.status, refused.body.kind]).toEqual([503, 'store_unavailable']);
  expect((await coordinator.send('GET', '/readyz')).status).toBe(503);
  expect((await coordinator.send('GET', '/v1/groups')).status).toBe(503);
  expect((await coordinator.send('GET', '/healthz')).status).toBe(200);
  expect((await coordinator.send('GET', '/metrics')).text).toContain('update_lock_coordinator_store_up 0\n');
  for (const member of gone) etcd.startMember(member);
  await until(async () => (await coordinator.ask('b')).status === 200, 20_000);
  expect(await coordinator.holders()).toEqual(['a', 'b']);
}, 60_000);

test('a coordinator starts without etcd, and works when it comes', async () => {
  etcd = await Etcd.start();
  const [member] = etcd.members;
  if (member === undefined) throw new Error('no member');
  await etcd.killMember(member);
  const coordinator = await Coordinator.start({ COORDINATOR_STORE: etcd.store });
  expect((await coordinator.ask('a')).status).toBe(503);
  etcd.startMember(member);
  await until(async () => (await coordinator.ask('a')).status === 200);
});

test.each([
  ['before etcd has seen it', 0.25],
  ['after etcd has done it', 0.75],
])('a turn is given although its request is lost %s', async (_, fate) => {
  etcd = await Etcd.start();
  let isLost = false;
  const proxy = await LossyProxy.start(etcd.endpoints[0] ?? '', () => fate);
  proxies.push(proxy);
  // Only grants: of all requests they alone write the key of a holder.
  proxy.losesOnly = (body) => !isLost && body.includes('request_put') && body.includes(Buffer.from('update-lock/holders/default/a').toString('base64')) && (isLost = true);
  const coordinator = await Coordinator.start({ COORDINATOR_STORE: `etcd:http://${proxy.host}` });
  proxy.loss = 1;
  expect((await coordinator.ask('a')).status).toBe(200);
  expect([proxy.lostBefore, proxy.lostAfter]).toEqual(fate < 0.5 ? [1, 0] : [0, 1]);
  expect(await coordinator.holders()).toEqual(['a']);
  // Once, and not twice: the group was written when it was made and by one turn.
  const { kvs } = await etcd.ask('/v3/kv/range', { key: Buffer.from('update-lock/groups/default').toString('base64') });
  expect(kvs[0].version).toBe('2');
});

test('etcd out of space: turns can be given back, none is given, and /readyz says so', async () => {
  etcd = await Etcd.start(1, '--quota-backend-bytes', '1000000');
  const coordinator = await Coordinator.start({ COORDINATOR_STORE: etcd.store, COORDINATOR_GROUPS: 'default=2' });
  expect((await coordinator.ask('a')).status).toBe(200);
  const value = Buffer.alloc(200_000).toString('base64');
  for (;;) {
    const { code = 0 } = await etcd.ask('/v3/kv/put', { key: Buffer.from('filler').toString('base64'), value });
    if (code === 8) break;
  }
  expect((await coordinator.ask('b')).status).toBe(503);
  const ready = await coordinator.send('GET', '/readyz');
  expect([ready.status, ready.body.checks[0].detail]).toEqual([503, expect.stringContaining('NOSPACE')]);
  expect((await coordinator.ask('a')).status).toBe(200);
  expect((await coordinator.giveBack('a')).status).toBe(200);
  expect(await coordinator.holders()).toEqual([]);
});

test('TLS with a certificate of the client, a user and a password', async () => {
  const folder = makeFolder();
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => { execFileSync('openssl', args, { stdio: 'ignore', cwd: folder }); };
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=etcd', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', 'tls.key', '-out', 'tls.csr');
  openssl('x509', '-req', '-in', 'tls.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy', '-out', 'tls.pem');
  // etcd's gateway refuses certificates of clients with a common name.
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/O=coordinators', '-keyout', 'client.key', '-out', 'client.csr');
  openssl('x509', '-req', '-in', 'client.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'client.pem');
  etcd = await Etcd.start();
  for (const [path, body] of [
    ['/v3/auth/user/add', { name: 'root', password: 'pass-of-root' }],
    ['/v3/auth/role/add', { name: 'root' }],
    ['/v3/auth/user/grant', { user: 'root', role: 'root' }],
    ['/v3/auth/enable', {}],
  ] as const) expect((await etcd.ask(path, body)).error).toBeUndefined();
  await etcd.restartWithTls({ ca: at('ca.pem'), cert: at('tls.pem'), key: at('tls.key') });
  const environment = {
    COORDINATOR_STORE: etcd.store,
    COORDINATOR_ETCD_CA: at('ca.pem'),
    COORDINATOR_ETCD_CERT: at('client.pem'),
    COORDINATOR_ETCD_KEY: at('client.key'),
    COORDINATOR_ETCD_USER: 'root',
  };
  const coordinator = await Coordinator.start({ ...environment, COORDINATOR_ETCD_PASSWORD: 'pass-of-root' });
  await until(async () => (await coordinator.ask('a')).status === 200);
  expect(await coordinator.holders()).toEqual(['a']);
  const stranger = await Coordinator.start({ ...environment, COORDINATOR_ETCD_PASSWORD: 'wrong' });
  expect((await stranger.ask('a')).status).toBe(503);
  expect((await stranger.send('GET', '/readyz')).body.checks[0].detail).toContain('authentication failed');
  expect(stranger.output).not.toContain('wrong"');
});
