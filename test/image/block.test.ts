import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readConfig } from '../../sidecar/config/config';

const REPOSITORY = resolve(__dirname, '../..');

const read = (file: string): string => readFileSync(join(REPOSITORY, file), 'utf8');
const first = (file: string, pattern: RegExp): string | undefined => pattern.exec(read(file))?.[1];
const block = JSON.parse(execFileSync('yq', ['.', join(REPOSITORY, 'balena.yml')], { encoding: 'utf8' }));

test('there is one version', () => {
  const { version, description } = JSON.parse(read('package.json')) as Record<string, string>;
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect({
    block: block.version,
    lock: (JSON.parse(read('package-lock.json')) as Record<string, string>)['version'],
    image: first('Dockerfile', /image\.version="(.*?)"/),
    // Above it may be what is not released yet.
    changelog: first('CHANGELOG.md', /^## (\d\S*)/m),
    client: (JSON.parse(read('client/package.json')) as Record<string, string>)['version'],
    shell: first('client/sh/update-lock', /^VERSION=(\S*)/m),
    python: first('client/python/pyproject.toml', /^version = "(.*)"$/m),
  }).toEqual({ block: version, lock: version, image: version, changelog: version, client: version, shell: version, python: version });
  expect(first('Dockerfile', /image\.description="(.*?)"/)).toBe(description);
});

test('the block can be published', () => {
  expect(block).toMatchObject({ name: 'update-lock', type: 'sw.block' });
  expect(Object.keys(block as object).sort()).toEqual(['assets', 'data', 'description', 'name', 'post-provisioning', 'type', 'version']);
  for (const asset of ['repository', 'logo']) {
    expect(block.assets[asset]).toEqual({ type: 'blob.asset', data: { url: expect.stringMatching(/^https:\/\//) as string } });
  }
  expect(block.assets.logo.data.url.endsWith('/logo.png')).toBe(true);
  const { defaultDeviceType, supportedDeviceTypes } = block.data;
  expect(supportedDeviceTypes).toContain(defaultDeviceType);
  expect(new Set(supportedDeviceTypes as string[]).size).toBe(supportedDeviceTypes.length);
});

test('its variables are settings, as they are by default', () => {
  const variables = Object.assign({}, ...block.data.applicationEnvironmentVariables) as Record<string, string>;
  const [set, unset] = [readConfig(variables, false), readConfig({}, false)];
  expect(set).toEqual(unset);
});

test('the logo is a square of 512 pixels', () => {
  const png = readFileSync(join(REPOSITORY, 'logo.png'));
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([512, 512]);
});
