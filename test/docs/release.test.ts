import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../support/markdown';

interface ExtraFile {
  readonly type: 'generic' | 'json' | 'toml';
  readonly path: string;
  readonly jsonpath?: string;
}

const read = (file: string): string => readFileSync(join(REPOSITORY, file), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };
const { packages } = JSON.parse(read('.github/release-please-config.json')) as { packages: { '.': { 'extra-files': ExtraFile[] } } };
const files = packages['.']['extra-files'];

/** Every version between the marks of release-please, or on a line with one. */
function markedVersions(text: string): string[] {
  const blocks = [...text.matchAll(/x-release-please-start-version\n([^]*?)x-release-please-end/g)].map(([, block = '']) => block);
  const lines = text.split('\n').filter((line) => line.includes('x-release-please-version'));
  return [...blocks, ...lines].flatMap((each) => each.match(/\d+\.\d+\.\d+/g) ?? []);
}

/** What a path like `$.packages.client.version` leads to. */
const valueAt = (document: unknown, jsonpath: string): unknown =>
  jsonpath.split('.').slice(1).reduce((value, key) => (value as Record<string, unknown>)[key], document);

test.each(files.filter(({ type }) => type === 'generic').map(({ path }) => path))('a release finds the version in %s, once', (path) => {
  expect(markedVersions(read(path))).toEqual([version]);
});

test.each(files.filter(({ type }) => type === 'json'))('a release finds the version in $path at $jsonpath', ({ path, jsonpath = '' }) => {
  expect(valueAt(JSON.parse(read(path)), jsonpath)).toBe(version);
});

test('a release finds the version in the Python project', () => {
  expect(files.filter(({ type }) => type === 'toml')).toEqual([{ type: 'toml', path: 'client/python/pyproject.toml', jsonpath: '$.project.version' }]);
  expect(/^\[project\]\n(?:(?!\[).*\n)*?version = "(.*)"$/m.exec(read('client/python/pyproject.toml'))?.[1]).toBe(version);
});

test('the Dockerfile for 32-bit ARM is the other one on another base', () => {
  const [common, narrow] = ['Dockerfile', 'Dockerfile.armv7hf'].map((file) => read(file).split(/^ARG BUILD_IMAGE/m)[1]);
  expect(narrow).toBe(common);
  for (const file of ['Dockerfile', 'Dockerfile.armv7hf']) expect(read(file)).toMatch(/^ARG NODE_IMAGE=node:\d+-[a-z-]+@sha256:[0-9a-f]{64}$/m);
});
