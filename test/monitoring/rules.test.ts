import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXAMPLE } from './example';

jest.setTimeout(300_000);

function promtool(...args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: EXAMPLE, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

const inFolder = (name: string): string[] => readdirSync(join(EXAMPLE, name)).map((file) => join(name, file));
const alerts = [...readFileSync(join(EXAMPLE, 'rules/alerts.yml'), 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
const tests = inFolder('tests').map((file) => readFileSync(join(EXAMPLE, file), 'utf8')).join('\n');

test.each([
  ['the configuration beside a sidecar', ['check', 'config', 'prometheus.yml']],
  ['the configuration on a device', ['check', 'config', '--agent', 'agent.yml']],
  ['the rules', ['check', 'rules', '--lint-fatal', ...inFolder('rules')]],
])('promtool finds nothing wrong with %s', (_, args) => {
  expect(promtool(...args)).toMatchObject({ status: 0 });
});

test.each(inFolder('tests'))('rules do as %s says', (file) => {
  const { status, output } = promtool('test', 'rules', file);
  expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' });
});

test.each(alerts)('it is tried when %s fires and when it does not', (alert) => {
  const tries = [...tests.matchAll(new RegExp(`alertname: ${alert}(?<fires>,? *\\n? *exp_alerts)?(?!\\w)`, 'g'))];
  expect(tries.filter(({ groups }) => groups?.['fires'] !== undefined).length).toBeGreaterThanOrEqual(1);
  expect(tries.filter(({ groups }) => groups?.['fires'] === undefined).length).toBeGreaterThanOrEqual(1);
});

const read = (file: string): string => readFileSync(join(EXAMPLE, file), 'utf8');

test.each([
  ['prometheus.Dockerfile', 'docker-compose.yml'],
  ['grafana.Dockerfile', 'docker-compose.yml'],
  ['agent.Dockerfile', 'docker-compose.agent.yml'],
])('%s copies what is there, for a service of %s', (file, compose) => {
  const copied = [...read(file).matchAll(/^COPY (\S+) /gm)].map(([, path = '']) => path);
  expect(copied.filter((path) => !existsSync(join(EXAMPLE, path)))).toEqual([]);
  expect(copied.length).toBeGreaterThan(0);
  expect(read(compose)).toContain(`dockerfile: ${file}`);
});

test('every folder that the configuration names is in the image', () => {
  const folders = [...new Set([...read('prometheus.yml').matchAll(/\b(\w+)\/\*/g)].map(([, folder = '']) => folder))];
  expect(folders).toEqual(['rules', 'fleet']);
  for (const folder of folders) expect(read('prometheus.Dockerfile')).toContain(`COPY ${folder} /etc/prometheus/${folder}\n`);
});

test('the documentation names every alert, and the README every file', () => {
  const page = readFileSync(join(EXAMPLE, '../../docs/monitoring.md'), 'utf8');
  const readme = readFileSync(join(EXAMPLE, 'README.md'), 'utf8');
  expect([...page.matchAll(/^\| `(UpdateLock\w+)`/gm)].map(([, name]) => name)).toEqual(alerts);
  const links = [...readme.matchAll(/\]\((?!https)([^)]+)\)/g)].map(([, path = '']) => path);
  expect(links.filter((path) => !existsSync(join(EXAMPLE, path)))).toEqual([]);
});
