import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder, Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

test('a Node.js that is too old is refused before anything is touched, saying which is needed', async () => {
  const folder = makeFolder();
  const sidecar = Sidecar.spawn({ folder, environment: { NODE_OPTIONS: `--require ${resolve(__dirname, '../support/old-node.cjs')}` } });
  expect(await sidecar.exited()).toBe(78);
  expect(sidecar.output).toBe(
    `update-lock: Node.js ${process.versions.node} is too old; version 20 is needed from 20.15 on, or 22.2 or later\n`,
  );
  expect(existsSync(join(folder, 'lock'))).toBe(false);
});

test('package.json asks for the versions that have all that is needed', () => {
  const { engines } = JSON.parse(readFileSync(resolve(__dirname, '../../package.json'), 'utf8')) as { engines: { node: string } };
  expect(engines.node).toBe('>=20.15 <21 || >=22.2');
});
