// Provides the image's major version of Node.js, for the tests. `npm ci` runs this; `npm run test:image-node` repeats it where that
// was left out.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const packageName = `node-${process.platform}-${process.arch}`;

function versionIn(path, read) {
  return existsSync(path) ? read(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
}

/** The folder of the `node` that the image runs, which is downloaded if it is not there. */
export function installImageNode() {
  const wanted = versionIn(`${folder}package.json`, ({ optionalDependencies }) => optionalDependencies[packageName]);
  if (wanted === undefined) throw new Error(`scripts/image-node has no Node.js for ${process.platform} on ${process.arch}`);
  const installed = () => versionIn(`${folder}node_modules/${packageName}/package.json`, ({ version }) => version);
  if (installed() !== wanted) execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--prefix', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (installed() !== wanted) throw new Error(`${packageName} ${wanted} could not be installed`);
  return `${folder}node_modules/${packageName}/bin`;
}

// Whoever only starts the sidecar does not need it.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const leavesOutTests = /\b(dev|optional)\b/.test(process.env.npm_config_omit ?? '');
  try {
    if (!leavesOutTests) installImageNode();
  } catch (error) {
    console.warn(`The tests will need another Node.js, which could not be installed: ${error.message}`);
  }
}
