import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from '../support/markdown';
import { makeFolder } from '../support/sidecar';

const FILES = [
  'CHANGELOG.md', 'Dockerfile', 'balena.yml', 'client/package.json', 'client/python/pyproject.toml', 'client/python/update_lock.py',
  'client/sh/update-lock', 'package-lock.json', 'package.json',
];
const PRESENT = (JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string }).version;
const [MAJOR = 0, MINOR = 0] = PRESENT.split('.').map(Number);
const NEXT = `${String(MAJOR)}.${String(MINOR + 1)}.0`;
const AFTER_NEXT = `${String(MAJOR)}.${String(MINOR + 1)}.1`;

let copy: string;

/** A repository with one commit, of all that a release concerns. */
beforeEach(() => {
  copy = makeFolder();
  for (const file of [...FILES, 'scripts/release.mjs']) {
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

function release(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['scripts/release.mjs', ...args], { cwd: copy, encoding: 'utf8' });
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

test('a release has its version everywhere, and nothing else is changed', () => {
  const places = Object.keys(versions());
  expect(release(NEXT)).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining(`git tag -a v${NEXT}`) as string });
  expect(versions()).toEqual(Object.fromEntries(places.map((place) => [place, NEXT])));
  expect(git('diff', '--name-only').trim().split('\n')).toEqual(FILES);
  expect(git('diff', '--numstat').match(/^\d+\t\d+/gm)).toEqual(FILES.map((file) => (file === 'package-lock.json' ? '3\t3' : '1\t1')));
  expect(git('log', '--oneline').trim().split('\n')).toHaveLength(1);
});

test('a dry run says the same and writes nothing', () => {
  const dry = release(NEXT, '--dry-run');
  expect(dry).toMatchObject({ status: 0, stderr: '' });
  expect(git('status', '--porcelain')).toBe('');
  expect(release(NEXT).stdout).toBe(dry.stdout.replace('would write', 'wrote'));
});

test('what the changelog announces may be released', () => {
  release(NEXT);
  writeFileSync(join(copy, 'CHANGELOG.md'), read('CHANGELOG.md').replace(/^## (\S+) \(.*\)$/m, '## $1 (unreleased)'));
  commit();
  expect(release(NEXT)).toMatchObject({ status: 0, stderr: '' });
  expect(versions()).toMatchObject({ package: NEXT, changelog: NEXT });
});

test.each([
  ['no version', [], 'usage'],
  ['two versions', [NEXT, AFTER_NEXT], 'usage'],
  ['an option that there is not', [NEXT, '--force'], 'usage'],
  ['half a version', ['1.2'], 'usage'],
  ['a version with a "v"', [`v${NEXT}`], 'usage'],
  ['a leading zero', ['01.2.3'], 'usage'],
  ['the same version', [PRESENT], `does not come after ${PRESENT}`],
  ['a lower version', ['0.0.1'], `does not come after ${PRESENT}`],
])('it refuses %s', (_what, args, message) => {
  expect(release(...args)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(message) as string });
  expect(git('status', '--porcelain')).toBe('');
});

test.each([
  ['is empty', '## Unreleased\n', 'says nothing'],
  ['has only headings', '## Unreleased\n\n### Added\n', 'says nothing'],
  ['is not there', '', 'which is released'],
  ['announces a later version', `## ${AFTER_NEXT} (unreleased)\n\n- Something.\n`, `does not come after ${AFTER_NEXT}`],
])('it refuses a section of the changelog that %s', (_what, section, message) => {
  begin(section);
  commit();
  expect(release(NEXT)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(message) as string });
  expect(git('status', '--porcelain')).toBe('');
});

test.each([
  ['a file that is changed', 'balena.yml'],
  ['a file that git does not know', 'new.txt'],
])('it refuses a work tree with %s', (_what, file) => {
  writeFileSync(join(copy, file), 'other');
  expect(release(NEXT)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(file) as string });
  expect(read(file)).toBe('other');
});

test('it refuses if a file has another version', () => {
  writeFileSync(join(copy, 'balena.yml'), read('balena.yml').replace(`version: ${PRESENT}`, 'version: 9.9.9'));
  commit();
  expect(release(NEXT)).toMatchObject({ status: 1, stderr: expect.stringContaining('balena.yml') as string });
  expect(git('status', '--porcelain')).toBe('');
});
