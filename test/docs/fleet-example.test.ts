import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../coordinator/config/config';
import { REPOSITORY } from '../support/markdown';
import { makeFolder } from '../support/sidecar';
import { removeFolder } from '../support/remove-folder';
import { mistakesOf } from '../unit/read-config';

let folder: string;

beforeAll(() => {
  folder = makeFolder();
  cpSync(join(REPOSITORY, 'examples/fleet'), folder, { recursive: true });
  // In place of the clone.
  mkdirSync(join(folder, 'update-lock'));
});
afterAll(() => removeFolder(folder));

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly image?: string;
}

/** The services of a compose file, as Compose reads it. */
function servicesIn(file: string): [string, Service][] {
  const environment = { PATH: process.env['PATH'] ?? '', DEVICE_TOKEN: 'of-devices', ADMIN_TOKEN: 'of-admins', HOST_NAME: 'turns.example.com' };
  const args = ['--file', join(folder, file), 'config'];
  const read = execFileSync('docker-compose', args, { env: environment, encoding: 'utf8' });
  const json = execFileSync('yq', ['.'], { input: read, encoding: 'utf8' });
  return Object.entries((JSON.parse(json) as { services: Record<string, Service> }).services);
}

test.each([
  ['docker-compose.site.yml', ['coordinator']],
  ['docker-compose.cloud.yml', ['coordinator-1', 'coordinator-2']],
])('%s has coordinators whose settings are right', (file, names) => {
  const coordinators = servicesIn(file).filter(([, { entrypoint }]) => [entrypoint].flat()[0] === 'update-lock-coordinator');
  expect(coordinators.map(([name]) => name).sort()).toEqual(names);
  for (const [, { environment = {} }] of coordinators) {
    const read = readConfig(environment, false);
    expect(read).toMatchObject({ ok: true, config: { warnings: [], deviceTokens: { kind: 'shared', token: 'of-devices' }, adminToken: 'of-admins' } });
  }
});

test('docker-compose.device.yml has a sidecar whose settings are right', () => {
  const [[, { environment = {} }] = ['', {}]] = servicesIn('docker-compose.device.yml');
  expect(environment['UPDATE_LOCK_FLEET_URL']).toBe('https://turns.example.com');
  expect(mistakesOf({ ...environment, BALENA_DEVICE_UUID: '0123' })).toEqual([]);
});
