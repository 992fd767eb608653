import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../support/markdown';

function read(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}

test('the tests on the Node.js of the image run on its major version, the same on every processor', () => {
  const [, major] = /^ARG NODE_IMAGE=node:(\d+)-/m.exec(read('Dockerfile')) ?? [];
  const { optionalDependencies } = JSON.parse(read('scripts/image-node/package.json')) as { optionalDependencies: Record<string, string> };
  const [version, ...others] = new Set(Object.values(optionalDependencies));
  expect(others).toEqual([]);
  expect(version?.split('.')[0]).toBe(major);
});

test.each(['package-lock.json', 'scripts/image-node/package-lock.json'])('%s has no address that a registry of somebody else would not have', (path) => {
  const { packages } = JSON.parse(read(path)) as { packages: Record<string, { resolved?: string; link?: boolean }> };
  expect(Object.entries(packages).filter(([, { resolved, link }]) => resolved !== undefined && link !== true)).toEqual([]);
});
