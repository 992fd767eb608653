import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from '../support/markdown';
import { makeFolder } from '../support/sidecar';

const FILES = [
  'CHANGELOG.md', 'Dockerfile', 'balena.yml', 'client/package.json', 'client/python/pyproject.toml', 'client/python/update_lock.py',
  'client/sh/update-lock', 'package-lock.json', 'package.json',
];
const VERSION = '7.8.9';

let copy: string;

/** A repository with one commit, of all that a release concerns. */
beforeEach(() => {
  copy = makeFolder();
  for (const file of [...FILES, 'scripts/set-version.mjs']) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(REPOSITORY, file), join(copy, file));
  }
  begin('## Unreleased\n\n- Something new.\n');
  git('init', '--quiet');
  commit();
});

afterEach(() => {
  rmSync(copy, { recursive: true });
});

function git(...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], { cwd: copy, encoding: 'utf8' });
}

function commit(): void {
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Change');
}

const read = (file: string): string => readFileSync(join(copy, file), 'utf8');

/** Puts a section before those that are in the changelog, all of them released. */
function begin(section: string): void {
  const released = read('CHANGELOG.md').replace(/^## Unreleased\n[^]*?(?=^## )/m, '').replace('(unreleased)', '(2020-01-01)');
  writeFileSync(join(copy, 'CHANGELOG.md'), released.replace(/^## /m, `${section}\n## `));
}

function release(version: string): { status: number | null; stderr: string } {
  const environment = { ...process.env, GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.com', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.com' };
  return spawnSync('npm', ['version', version, '--message', 'Release %s'], { cwd: copy, encoding: 'utf8', env: environment });
}

/** Every version that a file has where one is meant. */
function versions(): Record<string, string | undefined> {
  const of = (file: string, pattern: RegExp): string | undefined => pattern.exec(read(file))?.[1];
  const lock = JSON.parse(read('package-lock.json')) as { version: string; packages: Record<string, { version: string }> };
  return {
    package: (JSON.parse(read('package.json')) as { version: string }).version,
    client: (JSON.parse(read('client/package.json')) as { version: string }).version,
    lock: lock.version,
    lockedPackage: lock.packages['']?.version,
    lockedClient: lock.packages['client']?.version,
    block: of('balena.yml', /^version: (.*)$/m),
    image: of('Dockerfile', /image\.version="(.*?)"/),
    shell: of('client/sh/update-lock', /^VERSION=(.*)$/m),
    pyproject: of('client/python/pyproject.toml', /^version = "(.*)"$/m),
    python: of('client/python/update_lock.py', /^__version__ = "(.*)"$/m),
    changelog: of('CHANGELOG.md', /^## (\d\S*) \(\d{4}-\d\d-\d\d\)$/m),
  };
}

test('a release has its version everywhere, and is a commit and a tag', () => {
  const places = Object.keys(versions());
  expect(release(VERSION)).toMatchObject({ status: 0 });
  expect(versions()).toEqual(Object.fromEntries(places.map((place) => [place, VERSION])));
  expect(git('status', '--porcelain')).toBe('');
  expect(git('show', '--format=%s', '--numstat', `v${VERSION}^{commit}`).match(/^\d+\t\d+\t.*|^Release .*/gm)).toEqual([
    `Release ${VERSION}`,
    ...FILES.map((file) => `${file === 'package-lock.json' ? '3\t3' : '1\t1'}\t${file}`),
  ]);
});

test('what the changelog announces may be released', () => {
  begin(`## ${VERSION} (unreleased)\n\n### Added\n\n- Something new.\n`);
  commit();
  expect(release(VERSION)).toMatchObject({ status: 0 });
  expect(versions()['changelog']).toBe(VERSION);
});

test.each<[string, () => void, string]>([
  ['the changelog says nothing new', () => { begin(''); }, 'CHANGELOG.md'],
  ['the section of the changelog is empty', () => { begin('## Unreleased\n'); }, 'CHANGELOG.md'],
  ['a file has no version', () => { writeFileSync(join(copy, 'balena.yml'), 'name: update-lock\n'); }, 'balena.yml'],
])('there is no release if %s', (_, change, named) => {
  change();
  commit();
  const before = git('rev-parse', 'HEAD');
  const { status, stderr } = release(VERSION);
  expect([status === 0, stderr]).toEqual([false, expect.stringContaining(named)]);
  expect([git('rev-parse', 'HEAD'), git('tag')]).toEqual([before, '']);
});

test('there is no release of a work tree with changes', () => {
  writeFileSync(join(copy, 'balena.yml'), 'other');
  const { status, stderr } = release(VERSION);
  expect([status === 0, stderr]).toEqual([false, expect.stringContaining('not clean')]);
});
