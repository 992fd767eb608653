// What `npm version X.Y.Z` runs once it has written the version into package.json: writes it into every other file that has
// it, and dates the changelog's first section. npm then commits and tags.
import { readFileSync, writeFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const today = new Date().toISOString().slice(0, 10);

/** Where the version is: the text before it, which each file has once. */
const PLACES = [
  ['client/package.json', /^ {2}"version": "/m],
  ['package-lock.json', /^ {6}"name": "update-lock-client",\n {6}"version": "/m],
  ['balena.yml', /^version: /m],
  ['Dockerfile', /org\.opencontainers\.image\.version="/],
  ['client/sh/update-lock', /^VERSION=/m],
  ['client/python/pyproject.toml', /^version = "/m],
  ['client/python/update_lock.py', /^__version__ = "/m],
];

/** Throws if the pattern is not in the file, rather than release half of a version. */
function replace(file, pattern, replacement) {
  const text = readFileSync(file, 'utf8');
  if (!pattern.test(text)) throw new Error(`${file} has nothing like ${pattern}`);
  writeFileSync(file, text.replace(pattern, replacement));
}

// A section that says something and is not released yet: "## Unreleased" or "## 1.2.0 (unreleased)".
replace('CHANGELOG.md', /^## (?:Unreleased|\S+ \(unreleased\))(?=\n+(?:[-*]|###) )/m, `## ${version} (${today})`);
for (const [file, before] of PLACES) {
  replace(file, new RegExp(`(${before.source})\\d+\\.\\d+\\.\\d+`, before.flags), (_all, start) => start + version);
}
