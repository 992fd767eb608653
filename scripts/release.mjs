// npm run release -- X.Y.Z [--dry-run]: writes a version into every file that has it and dates the changelog's section.
// It commits and publishes nothing, but prints the commands for that.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;

/** Where the version is, once each: what stands before it. */
const PLACES = [
  ['package.json', /^ {2}"version": "/m],
  ['client/package.json', /^ {2}"version": "/m],
  ['package-lock.json', /^ {2}"version": "/m],
  ['package-lock.json', /^ {4}"": \{\n {6}"name": "update-lock",\n {6}"version": "/m],
  ['package-lock.json', /^ {4}"client": \{\n {6}"name": "update-lock-client",\n {6}"version": "/m],
  ['balena.yml', /^version: /m],
  ['Dockerfile', /org\.opencontainers\.image\.version="/],
  ['client/sh/update-lock', /^VERSION=/m],
  ['client/python/pyproject.toml', /^version = "/m],
  ['client/python/update_lock.py', /^__version__ = "/m],
];

class Refusal extends Error {}

function isLess(one, other) {
  const [a, b] = [one, other].map((version) => version.split('.').map(Number));
  const index = a.findIndex((number, place) => number !== b[place]);
  return index >= 0 && a[index] < b[index];
}

/** The changelog with its topmost section, which must be unreleased and say something, as that of the version. */
function datedChangelog(text, version, present, date) {
  const [heading, title, inner] = /^## (.+)\n([^]*?)(?=^## |$(?![^]))/m.exec(text) ?? [];
  if (title === undefined) throw new Refusal('CHANGELOG.md has no section');
  const announced = /^(\S+) \(unreleased\)$/.exec(title)?.[1];
  if (announced === undefined && title !== 'Unreleased') throw new Refusal(`CHANGELOG.md begins with "${title}", which is released: begin a section "## Unreleased"`);
  if (!/^[-*] \S/m.test(inner)) throw new Refusal(`the section "${title}" of CHANGELOG.md says nothing`);
  const released = [...text.matchAll(/^## (\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\)$/gm)].map(([, each]) => each);
  // What is announced is in the files already, and is not out.
  const last = announced === present ? released : [...released, present];
  const inTheWay = last.find((each) => !isLess(each, version)) ?? (announced !== undefined && isLess(version, announced) ? announced : undefined);
  if (inTheWay !== undefined) throw new Refusal(`${version} does not come after ${inTheWay}`);
  return text.replace(heading, () => heading.replace(`## ${title}`, `## ${version} (${date})`));
}

/** The new text of every file that changes, by its path. Throws before anything is written. */
function changes(version, date) {
  const texts = new Map();
  const read = (file) => texts.get(file) ?? readFileSync(root + file, 'utf8');
  const present = JSON.parse(read('package.json')).version;
  texts.set('CHANGELOG.md', datedChangelog(read('CHANGELOG.md'), version, present, date));
  for (const [file, before] of PLACES) {
    const place = new RegExp(`(${before.source})${present.replaceAll('.', '\\.')}(?![\\w.])`, `${before.flags}g`);
    const found = read(file).match(place)?.length ?? 0;
    if (found !== 1) throw new Refusal(`${file} has the version ${present} ${found} times where it should be once: ${before.source}`);
    texts.set(file, read(file).replace(place, (_all, start) => start + version));
  }
  return texts;
}

function requireCleanTree() {
  const status = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' }).trimEnd();
  if (status !== '') throw new Refusal(`the work tree has changes:\n${status}`);
}

function release(args) {
  const dryRun = args.includes('--dry-run');
  const [version, ...more] = args.filter((arg) => arg !== '--dry-run');
  if (version === undefined || more.length > 0 || !VERSION.test(version)) throw new Refusal('usage: npm run release -- X.Y.Z [--dry-run]');
  requireCleanTree();
  const texts = changes(version, new Date().toISOString().slice(0, 10));
  if (!dryRun) for (const [file, text] of texts) writeFileSync(root + file, text);
  console.log(`${dryRun ? 'would write' : 'wrote'} ${version} into ${[...texts.keys()].sort().join(', ')}`);
  console.log(`
Next, after a look at git diff:

  npm ci && npm test
  git commit -am 'Release ${version}' && git tag -a v${version} -m 'update-lock ${version}'
  git push --follow-tags
  npm run build && npm publish --workspace client      # the client for Node.js
  pip wheel --no-deps ./client/python                  # the client for Python
  balena push ORGANISATION/update-lock                 # the block`);
}

try {
  release(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(`release: ${error.message}`);
  process.exitCode = 1;
}
