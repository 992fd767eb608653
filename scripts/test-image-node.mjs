// npm run test:image-node [-- FILE ...]: the tests that start processes, with all of these on the image's major version of Node.js.
import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installImageNode } from './image-node/install.mjs';

/** What may depend on the version of Node.js: whatever starts the sidecar, the command or the package. */
const FOLDERS = ['chaos', 'cli', 'client', 'clients', 'conformance', 'contract', 'integration'].map((name) => `test/${name}/`);

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = installImageNode();
const given = process.argv.slice(2);
const { status } = spawnSync(`${bin}/node`, ['node_modules/jest/bin/jest.js', ...(given.length > 0 ? given : FOLDERS)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
});
process.exit(status ?? 1);
