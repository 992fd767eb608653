import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../support/markdown';
import { removeFolder } from '../support/remove-folder';
import { makeFolder } from '../support/sidecar';

const SCRIPT = join(REPOSITORY, 'examples/tag-fleet');

/** In place of the CLI of balena: a fleet of three devices, of which the second cannot be reached. Writes down what it is asked to do. */
const BALENA = `#!/bin/sh
case "$1 $2" in
  'device list') [ "$4" = ORG/FLEET ] && echo '[{"id": 1, "uuid": "aa"}, {"id": 2, "uuid": "bb"}, {"id": 3, "uuid": "cc"}]' ;;
  *) printf '%s|' "$@" >> "$0.log"; echo >> "$0.log"; case "$*" in *' bb') exit 1 ;; esac ;;
esac
`;

const folder = makeFolder();
afterAll(() => removeFolder(folder));

function run(...args: string[]): { status: number | null; stderr: string; calls: string[] } {
  const balena = join(folder, 'balena');
  writeFileSync(balena, BALENA, { mode: 0o755 });
  writeFileSync(`${balena}.log`, '');
  const { status, stderr } = spawnSync(SCRIPT, args, { encoding: 'utf8', env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` } });
  return { status, stderr, calls: readFileSync(`${balena}.log`, 'utf8').split('\n').slice(0, -1) };
}

test('it sets the tag of every device, whatever the value has in it, goes on after one that fails, and says so', () => {
  expect(run('ORG/FLEET', 'update-lock.windows', 'Mon-Fri 02:00-04:00; $(x) *')).toEqual({
    status: 1,
    stderr: 'bb: failed\n',
    calls: ['aa', 'bb', 'cc'].map((uuid) => `tag|set|update-lock.windows|Mon-Fri 02:00-04:00; $(x) *|--device|${uuid}|`),
  });
});

test('without a value it removes the tag', () => {
  expect(run('ORG/FLEET', 'update-lock.hold').calls).toEqual(['aa', 'bb', 'cc'].map((uuid) => `tag|rm|update-lock.hold|--device|${uuid}|`));
});

test('an empty value, which the sidecar could not read, and a fleet that is not there change nothing', () => {
  expect(run('ORG/FLEET', 'update-lock.windows', '')).toMatchObject({ status: 64, stderr: expect.stringContaining('usage'), calls: [] });
  expect(run('ORG/OTHER', 'update-lock.windows', '02:00-04:00')).toMatchObject({ status: 1, calls: [] });
});

test('shellcheck finds nothing to say', () => {
  const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', SCRIPT], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});
