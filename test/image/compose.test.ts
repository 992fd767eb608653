import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { balenaMistakes } from '../support/balena-compose';

const EXAMPLES = resolve(__dirname, '../../examples');

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'update-lock-compose-'));
  cpSync(EXAMPLES, project, { recursive: true });
  // Where the example wants the sidecar's repository to be.
  mkdirSync(join(project, 'update-lock'));
});

afterEach(() => {
  rmSync(project, { recursive: true });
});

/** What Compose itself says, which checks a file against the schema of its specification. */
function composeSays(file: string): { status: number | null; stderr: string } {
  return spawnSync('docker-compose', ['--file', file, 'config', '--quiet'], { cwd: project, encoding: 'utf8' });
}

function parse(file: string): Record<string, any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  return JSON.parse(execFileSync('yq', ['.', join(project, file)], { encoding: 'utf8' })) as Record<string, unknown>;
}

const read = (file: string): string => readFileSync(join(project, file), 'utf8');

test('the example is a compose file that balena takes', () => {
  expect(composeSays('docker-compose.yml')).toMatchObject({ status: 0, stderr: '' });
  expect(balenaMistakes(read('docker-compose.yml'), parse('docker-compose.yml'))).toEqual([]);
});

test.each(['docker-compose.yml', 'docker-compose.agent.yml'])('so is %s of the monitoring', (name) => {
  const file = `monitoring/${name}`;
  // It is meant for a project that has this folder.
  mkdirSync(join(project, 'monitoring/monitoring'));
  expect(composeSays(file)).toMatchObject({ status: 0, stderr: '' });
  expect(balenaMistakes(read(file), parse(file))).toEqual([]);
});

test('both together are one project, with the sidecar and what scrapes it', () => {
  const files = ['--file', 'docker-compose.yml', '--file', 'monitoring/docker-compose.yml'];
  const services = execFileSync('docker-compose', [...files, 'config', '--services'], { cwd: project, encoding: 'utf8' });
  expect(services.trim().split('\n').sort()).toEqual(['app', 'grafana', 'prometheus', 'update-lock']);
});

test('its app and its sidecar share the socket, and the sidecar has the API of the Supervisor', () => {
  const { services, volumes } = parse('docker-compose.yml');
  expect(services['update-lock']).toMatchObject({ labels: { 'io.balena.features.supervisor-api': '1' } });
  const [shared, ...others] = services['update-lock'].volumes as string[];
  expect([shared]).toEqual(services.app.volumes);
  // What has to outlive the container.
  expect(others).toEqual(['update-lock-state:/var/lib/update-lock']);
  expect(Object.keys(volumes as object)).toEqual(['update-lock', 'update-lock-state']);
});

test.each([
  ['an unknown field', '    restart: always', '    restarts: always'],
  ['volumes that are no list', '    volumes:\n      - update-lock:/run/update-lock', '    volumes: update-lock'],
  ['a volume that is not declared', '- update-lock:/run', '- other:/run'],
])('compose refuses %s', (_, from, to) => {
  expect(read('docker-compose.yml')).toContain(from);
  writeFileSync(join(project, 'docker-compose.yml'), read('docker-compose.yml').replace(from, to));
  expect(composeSays('docker-compose.yml').status).toBe(1);
});

test.each([
  ['a bind mount', { volumes: ['./data:/data'] }, './data:/data is a bind mount'],
  ['a long volume', { volumes: [{ type: 'volume', source: 'update-lock', target: '/run' }] }, 'a volume is not in the short syntax'],
  ['a volume that is not declared', { volumes: ['other:/run'] }, 'other is not among the volumes'],
  ['a label that does not exist', { labels: { 'io.balena.features.supervisor': '1' } }, 'label io.balena.features.supervisor'],
  ['a label that is a number', { labels: { 'io.balena.features.supervisor-api': 1 } }, 'the value of the label io.balena.features.supervisor-api is not text'],
  ['a field that it does without', { container_name: 'x' }, 'field container_name'],
  ['a condition', { depends_on: { app: { condition: 'service_healthy' } } }, 'depends_on is not a list'],
  ['a context outside', { build: '..' }, 'builds from .., which is not in the project'],
])('balena does not take %s', (_, service, mistake) => {
  expect(balenaMistakes('', { services: { app: service }, volumes: { 'update-lock': null } })).toEqual([`app: ${mistake}`]);
});
