// npm run bench -- peers: brings what is compared, and measures on the image's version of Node.js.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installImageNode } from '../../scripts/image-node/install.mjs';
import { installTools } from '../../scripts/install-tools.mjs';

/** Each command that is compared, and its Debian package. */
const PACKAGES = { 'redis-server': 'redis-server', etcd: 'etcd-server', lockfile: 'procmail', flock: 'util-linux', curl: 'curl', dash: 'dash' };

const folder = fileURLToPath(new URL('.', import.meta.url));

/** @returns the exit status */
export function runPeers(args) {
  installTools(PACKAGES, 'The comparisons');
  if (!existsSync(`${folder}node_modules`)) execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder], { stdio: 'inherit' });
  return spawnSync(`${installImageNode()}/node`, [`${folder}peers.mjs`, ...args], { stdio: 'inherit' }).status ?? 1;
}
