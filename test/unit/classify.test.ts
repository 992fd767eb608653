import { spawnSync } from 'node:child_process';
import { chownSync, linkSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { classify, HELIOS_TAG, startsWith, SUPERVISOR_UID } from '../../sidecar/lock/classify';
import { makeFolder } from '../support/sidecar';

let folder: string;
let anchor: string;
let path: string;
beforeEach(() => {
  folder = makeFolder();
  [anchor, path] = [join(folder, 'anchor'), join(folder, 'updates.lock')];
  writeFileSync(anchor, 'update-lock: ');
});
afterEach(() => { rmSync(folder, { recursive: true }); });

test.each<[string, (path: string) => void, string]>([
  ['nothing', () => undefined, 'absent'],
  ['a name of our anchor', (at) => { linkSync(anchor, at); }, 'ours'],
  ['a copy of our anchor', (at) => { writeFileSync(at, 'update-lock: '); }, 'foreign'],
  ['a link to our anchor', (at) => { symlinkSync(anchor, at); }, 'foreign'],
  ['a dangling link', (at) => { symlinkSync('/nowhere', at); }, 'foreign'],
  ['an empty file', (at) => { writeFileSync(at, ''); }, 'foreign'],
  ['a file with half the tag of Helios', (at) => { writeFileSync(at, HELIOS_TAG.subarray(0, 1)); }, 'foreign'],
  ['a file with the tag of Helios', (at) => { writeFileSync(at, Buffer.concat([HELIOS_TAG, Buffer.from('{}')])); }, 'helios'],
  ["the Supervisor's file", (at) => { writeFileSync(at, ''); chownSync(at, SUPERVISOR_UID, SUPERVISOR_UID); }, 'supervisor'],
  ["a directory of the Supervisor's user", (at) => { mkdirSync(at); chownSync(at, SUPERVISOR_UID, SUPERVISOR_UID); }, 'foreign'],
  ['a pipe that nobody writes to', (at) => { spawnSync('mkfifo', [at]); }, 'foreign'],
])('%s is told for what it is', (_, put, standing) => {
  put(path);
  expect(classify(path, lstatSync(anchor))).toBe(standing);
});

test('a pipe is not waited for, and a link is not followed', () => {
  spawnSync('mkfifo', [path]);
  expect(startsWith(path, Buffer.from('u'))).toBe(false);
  symlinkSync(anchor, join(folder, 'link'));
  expect(startsWith(join(folder, 'link'), Buffer.from('u'))).toBe(false);
  expect(startsWith(anchor, Buffer.from('update-lock'))).toBe(true);
});

test('a path that cannot be looked at is an error, not a standing', () => {
  expect(() => classify(join(anchor, 'x'), lstatSync(anchor))).toThrow('ENOTDIR');
});
