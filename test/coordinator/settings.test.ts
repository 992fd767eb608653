import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { ADMIN_TOKEN, Coordinator } from '../support/coordinator';
import { makeFolder } from '../support/sidecar';

afterEach(() => Coordinator.cleanUp());

test('all mistakes are told at once, and no secret is repeated', async () => {
  const folder = makeFolder();
  const tokens = join(folder, 'tokens');
  writeFileSync(tokens, 'a secret-of-a\n# a comment\n\nb secret of b\na another-secret\n');
  const coordinator = Coordinator.spawn({
    COORDINATOR_STORE: 'file:relative',
    COORDINATOR_GROUPS: 'default=1; default=2',
    COORDINATOR_PORT: 'off',
    COORDINATOR_DEVICE_TOKEN_FILE: tokens,
    COORDINATOR_DEVICE_TOKEN: 'shared-secret',
    COORDINATOR_ADMIN_TOKEN: '',
    COORDINATOR_STALE_AFTER: 'soon',
    COORDINATOR_LOG_LEVEL: 'loud',
    COORDINATOR_TLS_CERT: join(folder, 'missing.pem'),
    COORDINATOR_ETCD_USER: 'me',
  }, folder);
  expect(await coordinator.exited()).toBe(78);
  const mistakes = coordinator.output.trim().split('\n').map((line) => line.replace('update-lock-coordinator: ', ''));
  expect(mistakes).toEqual([
    expect.stringContaining('COORDINATOR_STORE: "file:relative" is not a store'),
    expect.stringContaining('COORDINATOR_ADMIN_TOKEN: its value is empty'),
    expect.stringContaining('COORDINATOR_TLS_CERT: '),
    'COORDINATOR_GROUPS: "default=1; default=2" names "default" twice',
    'COORDINATOR_PORT: "off" is not a port; 0 to 65535 is allowed',
    'COORDINATOR_DEVICE_TOKEN and COORDINATOR_DEVICE_TOKEN_FILE: both are set; one of them is allowed',
    'COORDINATOR_DEVICE_TOKEN_FILE: line 4 is not an id and a token, separated by spaces',
    'COORDINATOR_DEVICE_TOKEN_FILE: line 5 names "a" again',
    expect.stringContaining('COORDINATOR_STALE_AFTER: "soon" is not a time'),
    expect.stringContaining('COORDINATOR_LOG_LEVEL: "loud"'),
    'COORDINATOR_TLS_CERT and COORDINATOR_TLS_KEY: only one of them is set; both are needed',
    'COORDINATOR_ETCD_USER and COORDINATOR_ETCD_PASSWORD: only one of them is set; both are needed',
  ]);
  expect(coordinator.output).not.toMatch(/secret/);
});

test('a token of a device that is the admin token, too, is a mistake', async () => {
  const coordinator = Coordinator.spawn({ COORDINATOR_DEVICE_TOKEN: 'one', COORDINATOR_ADMIN_TOKEN: 'one' });
  expect(await coordinator.exited()).toBe(78);
});

test('variables that are no settings are told', async () => {
  const coordinator = await Coordinator.start({ COORDINATOR_SLOTS: '3', COORDINATOR_GROUP: 'default=3' });
  await coordinator.logged('COORDINATOR_SLOTS is not a setting of this version and has no effect');
  await coordinator.logged('COORDINATOR_GROUP is not a setting of this version and has no effect; did you mean COORDINATOR_GROUPS?');
});

test('a port that is taken can be another one, but not off', async () => {
  const first = await Coordinator.start();
  const second = Coordinator.spawn({ COORDINATOR_PORT: first.url.port });
  expect(await second.exited()).toBe(69);
  expect(second.output).toMatch(/^update-lock-coordinator: cannot listen on 127\.0\.0\.1:\d+: .*; COORDINATOR_PORT can be another port$/m);
});

test('a port that is none can be a number, but not off', async () => {
  const coordinator = Coordinator.spawn({ COORDINATOR_PORT: 'abc' });
  expect(await coordinator.exited()).toBe(78);
  expect(coordinator.output).toBe('update-lock-coordinator: COORDINATOR_PORT: "abc" is not a port; 0 to 65535 is allowed\n');
});

test('with a shared token nobody else can ask, and it is no admin token', async () => {
  const coordinator = await Coordinator.start({ COORDINATOR_DEVICE_TOKEN: 'shared' });
  for (const token of [undefined, 'wrong']) {
    for (const answer of [await coordinator.ask('a', token === undefined ? {} : { token }), await coordinator.giveBack('a', token === undefined ? {} : { token })]) {
      expect([answer.status, answer.body.kind, answer.headers['www-authenticate']]).toEqual([401, 'unauthorized', 'Bearer realm="update-lock"']);
    }
  }
  expect((await coordinator.ask('a', { token: 'shared' })).status).toBe(200);
  expect((await coordinator.send('PUT', '/v1/groups/default', { json: { paused: true }, headers: { Authorization: 'Bearer shared' } })).status).toBe(403);
});

test('with a file of tokens each device can only speak for itself', async () => {
  const folder = makeFolder();
  const file = join(folder, 'tokens');
  writeFileSync(file, 'a  token-of-a\n# the second\nb token-of-b\n');
  const coordinator = await Coordinator.start({ COORDINATOR_DEVICE_TOKEN_FILE: file }, folder);
  expect((await coordinator.ask('a', { token: 'token-of-b' })).status).toBe(401);
  expect((await coordinator.ask('stranger', { token: 'token-of-a' })).status).toBe(401);
  expect((await coordinator.ask('stranger')).status).toBe(401);
  expect((await coordinator.ask('a', { token: 'token-of-a' })).status).toBe(200);
  expect((await coordinator.giveBack('a', { token: 'token-of-b' })).status).toBe(401);
  expect(await coordinator.holders()).toEqual(['a']);
  expect((await coordinator.giveBack('a', { token: 'token-of-a' })).status).toBe(200);
});

test('a file of tokens that has changed is read again; with a mistake in it, the tokens stay as they were', async () => {
  const folder = makeFolder();
  const file = join(folder, 'tokens');
  const replace = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  replace('a token-of-a\n');
  const coordinator = await Coordinator.start({ COORDINATOR_DEVICE_TOKEN_FILE: file }, folder);
  expect((await coordinator.ask('b', { token: 'token-of-b' })).status).toBe(401);
  replace('b token-of-b\n');
  expect(await coordinator.logged('device tokens read again')).toMatchObject({ devices: 1 });
  expect((await coordinator.ask('b', { token: 'token-of-b' })).status).toBe(200);
  expect((await coordinator.ask('a', { token: 'token-of-a' })).status).toBe(401);
  replace(`a token-of-a\nb ${ADMIN_TOKEN}\n`);
  expect((await coordinator.logged('the file of device tokens has mistakes, so the tokens stay as they were'))['mistakes']).toEqual([
    'line 2 has the admin token, with which "b" could release others; another token is allowed',
  ]);
  expect((await coordinator.ask('b', { token: 'token-of-b' })).status).toBe(200);
  expect(coordinator.output).not.toMatch(/token-of/);
}, 60_000);

test('any name of a group, where that is allowed: a hundred at most, each with a warning', async () => {
  const coordinator = await Coordinator.start({ COORDINATOR_GROUPS: 'default=1; *=2' });
  const names = Array.from({ length: 100 }, (_, index) => `g${String(index)}`);
  expect(new Set(await Promise.all(names.map(async (group) => (await coordinator.ask('a', { group })).status)))).toEqual(new Set([200]));
  expect((await coordinator.ask('a', { group: 'one-more' })).body.kind).toBe('unknown_group');
  expect((await coordinator.ask('a')).status).toBe(200);
  expect((await coordinator.ask('b', { group: 'g7' })).status).toBe(200);
  expect((await coordinator.ask('c', { group: 'g7' })).status).toBe(423);
  expect(coordinator.lines().filter(({ message, level }) => message === 'group made, since any name is allowed' && level === 'warn')).toHaveLength(100);
});

test('a holder for longer than that is stale', async () => {
  const coordinator = await Coordinator.start({ COORDINATOR_STALE_AFTER: '1s' });
  await coordinator.ask('a');
  const since = Date.parse((await coordinator.group()).holders[0].since);
  while (!(await coordinator.group()).holders[0].stale) expect(Date.now() - since).toBeLessThan(10_000);
  expect(Date.now() - since).toBeGreaterThanOrEqual(1000);
  expect((await coordinator.send('GET', '/metrics')).text).toContain('update_lock_coordinator_stale_holders{group="default"} 1\n');
});

test('TLS with a certificate of its own', async () => {
  const folder = makeFolder();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=coordinator', '-addext', 'subjectAltName=DNS:coordinator', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const coordinator = await Coordinator.start({ COORDINATOR_TLS_CERT: cert, COORDINATOR_TLS_KEY: key }, folder);
  expect(coordinator.url.protocol).toBe('https:');
  const status = await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: coordinator.url.port, servername: 'coordinator', ca: readFileSync(cert), path: '/healthz', agent: false }, (response) => {
      response.resume().on('end', () => { resolve(response.statusCode); });
    }).on('error', reject);
  });
  expect(status).toBe(200);
  expect(await coordinator.kill('SIGTERM')).toBe(0);
});
