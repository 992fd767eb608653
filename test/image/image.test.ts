import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { holdsBackHost, supervisorForces, supervisorLocks, supervisorUnlocks } from '../support/readers';
import { removeFolder } from '../support/remove-folder';
import { makeFolder } from '../support/sidecar';
import { until } from '../support/until';
import { Container, type ContainerOptions } from './container';
import { ImageStore } from './image-store';
import { layOutBase, layOutNpm, npmLoan } from './machine';
import { Network } from './network';

const REPOSITORY = resolve(__dirname, '../..');
const MEGABYTE = 1e6;
/** Building is mostly npm's work, which depends on its registry. */
const BUILD_WITHIN_MS = 15 * 60_000;

jest.setTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), 'update-lock-image-'));
const store = new ImageStore(folder);
const network = new Network();
const containers: Container[] = [];
let shared: string;

beforeAll(async () => {
  const [base, npm] = [join(folder, 'base'), join(folder, 'npm')];
  layOutBase(base);
  layOutNpm(npm);
  const loan = npmLoan();
  await buildFrom(base, 'base', ['FROM scratch', 'COPY . /', 'ENV PATH=/usr/local/bin:/usr/bin:/bin', 'CMD ["node"]']);
  await buildFrom(npm, 'builder', ['FROM localhost/base', 'COPY . /', ...Object.entries(loan.environment).map(([name, value]) => `ENV ${name}="${value}"`)]);
  const args = { NODE_IMAGE: 'localhost/base', BUILD_IMAGE: 'localhost/builder', REVISION: 'abc' };
  await store.build('localhost/update-lock', { context: REPOSITORY, args, volumes: loan.volumes });
  await store.build('localhost/app', { context: join(REPOSITORY, 'examples/app'), args: { NODE_IMAGE: 'localhost/base' } });
}, BUILD_WITHIN_MS);

beforeEach(() => {
  shared = makeFolder();
  for (const each of ['lock', 'socket']) mkdirSync(join(shared, each));
  writeFileSync(join(shared, 'hosts'), `127.0.0.1 localhost\n${Network.addresses[0]} update-lock\n`);
});

afterEach(async () => {
  for (const container of containers.splice(0)) await container.kill();
  await removeFolder(shared);
});

afterAll(() => {
  network.remove();
  store.remove();
});

async function buildFrom(context: string, tag: string, lines: readonly string[]): Promise<void> {
  const file = join(folder, `${tag}.Dockerfile`);
  writeFileSync(file, lines.join('\n'));
  await store.build(`localhost/${tag}`, { context, file });
}

async function start(tag: string, options: Partial<ContainerOptions>): Promise<Container> {
  const image = `localhost/${tag}`;
  const container = await Container.start({ root: store.rootOf(image), config: store.config(image), network: '', mounts: {}, ...options });
  containers.push(container);
  return container;
}

/** As the Supervisor starts it: the lock directory from the host, and the volume with the socket. */
async function startSidecar(options: Partial<ContainerOptions> = {}): Promise<Container> {
  const sidecar = await start('update-lock', {
    network: network.namespaces[0],
    mounts: { '/tmp/balena': join(shared, 'lock'), '/tmp/resin': join(shared, 'lock'), '/run/update-lock': join(shared, 'socket') },
    environment: { BALENA_APP_LOCK_PATH: '/tmp/balena/updates.lock' },
    ...options,
  });
  await sidecar.printed('"message":"ready"');
  return sidecar;
}

async function startApp(workSeconds = '100000'): Promise<Container> {
  return start('app', {
    network: network.namespaces[1],
    mounts: { '/run/update-lock': join(shared, 'socket'), '/etc/hosts': join(shared, 'hosts') },
    environment: { WORK_SECONDS: workSeconds, REST_SECONDS: '100000' },
  });
}

const lockFiles = (): string[] => ['updates.lock', 'resin-updates.lock'].map((name) => join(shared, 'lock', name));
const areHeld = (): boolean[] => lockFiles().map((path) => holdsBackHost(path));

/** What a program in that container is answered. */
async function ask(container: Container, method: string, url: string): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  const script = `fetch(${JSON.stringify(url)}, { method: '${method}' }).then((answer) => answer.text()).then(console.log)`;
  const { output } = await container.run(['node', '-e', script]);
  return JSON.parse(output) as unknown;
}

test('the image says how it wants to be run', () => {
  const { User, Entrypoint, Cmd, StopSignal, ExposedPorts, Labels, Healthcheck, Env } = store.config('localhost/update-lock');
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };
  expect({ User, Entrypoint, StopSignal, ports: Object.keys(ExposedPorts), test: Healthcheck?.Test }).toEqual({
    User: '0',
    Entrypoint: ['node', '/opt/update-lock/main.js'],
    StopSignal: 'SIGTERM',
    ports: ['8080/tcp'],
    test: ['CMD', '/opt/update-lock/healthcheck'],
  });
  expect(Cmd ?? []).toEqual([]);
  expect(Labels).toMatchObject({
    'io.balena.features.supervisor-api': '1',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.revision': 'abc',
    'org.opencontainers.image.licenses': 'Apache-2.0',
  });
  // Nothing of what the build was lent.
  expect(Env.map((each) => each.split('=')[0]).sort()).toEqual(['NODE_COMPILE_CACHE', 'NODE_ENV', 'NODE_OPTIONS', 'PATH']);
});

test('it adds the bundle and the clients to its base, and at most 3 MB', () => {
  const base = store.layerBytes('localhost/base');
  const own = store.layerBytes('localhost/update-lock').slice(base.length);
  expect(own).toHaveLength(1);
  expect(own[0]).toBeLessThan(3 * MEGABYTE);
  const root = store.rootOf('localhost/update-lock');
  const list = (path: string): string[] => readdirSync(join(root, path)).sort();
  expect(list('opt/update-lock')).toEqual(['LICENSE', 'LICENSES.txt', 'client', 'compile-cache', 'coordinator', 'healthcheck', 'main.js']);
  expect(list('opt/update-lock/client')).toEqual(['cli-others.cjs', 'cli.cjs']);
  // test/docs/install.test.ts installs from these.
  expect(list('usr/share/update-lock')).toEqual(['update-lock', 'update-lock-client.tgz', expect.stringMatching(/^update_lock_client-.*\.whl$/)]);
  expect(list('usr/local/bin')).toEqual(['node', 'update-lock', 'update-lock-coordinator']);
  expect(list('root')).toEqual([]);
});

test('Node.js takes the compile cache that was filled while the image was built, and only root may write to it', async () => {
  const sidecar = await startSidecar({ environment: { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' } });
  const { output: version } = await sidecar.run(['node', '-p', 'process.versions.node']);
  // Node.js 20 has no compile cache.
  expect(sidecar.output.includes('/opt/update-lock/main.js was accepted')).toBe(parseInt(version) >= 22);
  const cache = join(store.rootOf('localhost/update-lock'), 'opt/update-lock/compile-cache');
  const entries = ['', ...readdirSync(cache, { recursive: true, encoding: 'utf8' })].map((entry) => statSync(join(cache, entry)));
  expect(entries.filter(({ uid, mode }) => uid !== 0 || (mode & 0o022) !== 0)).toEqual([]);
});

test('an app in another container holds the lock by the socket in a volume, for as long as it lives', async () => {
  const sidecar = await startSidecar();
  const app = await startApp();
  await app.printed('busy: no update now');
  expect(areHeld()).toEqual([true, true]);
  expect(lockFiles().map(supervisorLocks)).toEqual([false, false]);
  expect(await ask(app, 'GET', 'http://update-lock:8080/v1/lock')).toMatchObject({
    state: 'held',
    leases: [{ name: 'app', kind: 'connection', peer: 'unix', reason: 'recording' }],
  });
  app.signal('SIGKILL');
  await app.exited();
  await until(() => areHeld().every((isHeld) => !isHeld));
  expect(lockFiles().map(supervisorLocks)).toEqual([true, true]);
  supervisorUnlocks(lockFiles());
  expect(sidecar.process.exitCode).toBeNull();
});

test('the example that is done with its work says so: its lease was released', async () => {
  const sidecar = await startSidecar();
  const app = await startApp('0.1');
  await app.printed('done: updates may come');
  await sidecar.printed('"message":"lease ended"');
  expect(sidecar.output.split('\n').find((line) => line.includes('lease ended'))).toContain('"ended":"released"');
  expect(app.output).not.toContain('interrupted');
});

test('an app in another container asks by the name of the service', async () => {
  await startSidecar();
  const app = await startApp();
  await app.printed('busy: no update now');
  expect(await ask(app, 'PUT', 'http://update-lock:8080/v1/leases/recorder?ttl=60')).toMatchObject({ name: 'recorder', peer: Network.addresses[1] });
  expect((await ask(app, 'GET', 'http://update-lock:8080/v1/leases')).leases).toHaveLength(2);
});

test('force gets through, and the app is told', async () => {
  await startSidecar();
  const app = await startApp();
  await app.printed('busy: no update now');
  expect(supervisorForces(lockFiles())).toEqual([true, true]);
  await app.printed('interrupted');
  supervisorUnlocks(lockFiles());
});

test('the example survives a sidecar that is killed', async () => {
  const sidecar = await startSidecar();
  const app = await startApp();
  await app.printed('busy: no update now');
  await sidecar.kill();
  await app.printed('interrupted');
  expect((await app.run(['true'])).status).toBe(0);
});

test('the same image runs the coordinator, which keeps its turns in a volume', async () => {
  mkdirSync(join(shared, 'turns'));
  const startCoordinator = async (): Promise<Container> => {
    const coordinator = await start('update-lock', {
      config: { ...store.config('localhost/update-lock'), Entrypoint: ['update-lock-coordinator'] },
      network: network.namespaces[0],
      mounts: { '/var/lib/update-lock-coordinator': join(shared, 'turns') },
    });
    await coordinator.printed('"message":"ready"');
    return coordinator;
  };
  const first = await startCoordinator();
  const script = `fetch('http://127.0.0.1:8081/v1/pre-reboot', { method: 'POST', headers: { 'fleet-lock-protocol': 'true', 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_params: { id: 'a', group: 'default' } }) }).then(({ status }) => console.log(status))`;
  expect((await first.run(['node', '-e', script])).output.trim()).toBe('200');
  first.signal('SIGTERM');
  expect(await first.exited()).toBe(0);
  const second = await startCoordinator();
  expect(await ask(second, 'GET', 'http://127.0.0.1:8081/v1/groups/default')).toMatchObject({ slots: 1, holders: [{ id: 'a' }] });
});

test('a stop ends it within 5 s with status 0, and leaves the lock for the leases still live', async () => {
  const sidecar = await startSidecar();
  expect(await ask(sidecar, 'PUT', 'http://127.0.0.1:8080/v1/leases/recorder?ttl=600')).toMatchObject({ name: 'recorder' });
  const app = await startApp();
  await app.printed('busy: no update now');
  const startedMs = performance.now();
  sidecar.signal('SIGTERM');
  expect(await sidecar.exited()).toBe(0);
  expect(performance.now() - startedMs).toBeLessThan(5000);
  expect(lockFiles().map(supervisorLocks)).toEqual([false, false]);
  // The container that replaces it finds the leases in the lock directory.
  const next = await startSidecar();
  const { leases } = await ask(next, 'GET', 'http://127.0.0.1:8080/v1/leases');
  expect(leases.map(({ name }: { name: string }) => name)).toContain('recorder');
  expect(areHeld()).toEqual([true, true]);
});

test('it is healthy by the socket or, without one, by its port; and not when it does not answer', async () => {
  const sidecar = await startSidecar();
  const check = ['/opt/update-lock/healthcheck'];
  expect(await sidecar.run(check)).toMatchObject({ status: 0, output: '' });
  expect(await sidecar.run(check, { UPDATE_LOCK_SOCKET: 'off' })).toMatchObject({ status: 0 });
  expect(await sidecar.run(check, { UPDATE_LOCK_SOCKET: 'off', UPDATE_LOCK_PORT: '9' })).toMatchObject({ status: 1 });
  sidecar.signal('SIGSTOP');
  expect(await sidecar.run(check)).toMatchObject({ status: 1 });
  sidecar.signal('SIGCONT');
  expect(sidecar.zombies()).toEqual([]);
});

test('the command is there for whoever looks into the container', async () => {
  const sidecar = await startSidecar();
  expect((await sidecar.run(['update-lock', 'acquire', 'recorder', '--ttl', '5m'])).status).toBe(0);
  expect((await sidecar.run(['update-lock', 'status'])).output).toContain('recorder');
});

test('it works as a user who owns the lock files and nothing else, not as root', async () => {
  const sidecar = await startSidecar();
  const uids = (): string[] => /^Uid:\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${String(sidecar.pid)}/status`, 'utf8'))?.slice(1) ?? [];
  // As soon as it listens.
  await until(() => uids().join() === '0,48484');
});

test('of root it needs no more than to change users and owners, also to take up what another has left', async () => {
  const capabilities = ['SETUID', 'SETGID', 'CHOWN'];
  const first = await startSidecar({ capabilities });
  await ask(first, 'PUT', 'http://127.0.0.1:8080/v1/leases/recorder?ttl=600');
  first.signal('SIGTERM');
  expect(await first.exited()).toBe(0);
  const next = await startSidecar({ capabilities });
  expect(await ask(next, 'GET', 'http://127.0.0.1:8080/v1/lock')).toMatchObject({ state: 'held', flock: true, leases: [{ name: 'recorder' }] });
  await ask(next, 'DELETE', 'http://127.0.0.1:8080/v1/leases/recorder');
  expect(lockFiles().map(supervisorLocks)).toEqual([true, true]);
  supervisorUnlocks(lockFiles());
});
