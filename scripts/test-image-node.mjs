// npm run test:image-node [-- FILE ...]: the tests of what depends on Node.js, on the image's major version of it.
import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installImageNode } from './image-node/install.mjs';

/**
 * The programs that run on Node.js (sidecar, command, package) with what may differ there: the HTTP parser, streams, TLS, timers, files and
 * child processes. Left out: what the kernel does when a process is killed (chaos), programs in other languages, which contract puts to the
 * sidecar as well (clients), what runs in a browser or in other tools, and pure functions.
 */
const FOLDERS = ['cli', 'client', 'conformance', 'contract', 'integration'].map((name) => `test/${name}/`);

/** What the sidecar decides, and when, is the same on every Node.js: these take a third of the time. */
const LEFT_OUT = [
  'applying', 'bad-days', 'by-hand-and-boot', 'control-tags', 'deadline', 'device-name', 'fleet', 'helios-alone', 'left-behind', 'override',
  'probes', 'reboots', 'soak', 'state-directory', 'summary-tag', 'supervisor-stand-in', 'updates', 'windows',
].map((name) => `--testPathIgnorePatterns=test/integration/${name}`);

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = installImageNode();
const given = process.argv.slice(2);
const { status } = spawnSync(`${bin}/node`, ['node_modules/jest/bin/jest.js', ...(given.length > 0 ? given : [...FOLDERS, ...LEFT_OUT])], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
});
process.exit(status ?? 1);
