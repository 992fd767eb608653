import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tryLinking } from '../../sidecar/lock/folder';
import { removeFolder } from '../support/remove-folder';
import { makeFolder } from '../support/sidecar';

let folder: string;

beforeEach(() => {
  folder = makeFolder();
});

afterEach(async () => {
  await removeFolder(folder);
});

test('trying whether there are hard links leaves nothing behind', () => {
  tryLinking(folder);
  expect(readdirSync(folder)).toEqual([]);
});

test('what a process of the same number has left while it tried does not matter', () => {
  for (const end of ['', '-link']) writeFileSync(join(folder, `probe-${String(process.pid)}${end}`), '');
  tryLinking(folder);
  expect(readdirSync(folder)).toEqual([]);
});

test('on a read-only file system it says what cannot be done', () => {
  const mounted = join(folder, 'mounted');
  mkdirSync(mounted);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs', mounted]);
  try {
    expect(() => { tryLinking(mounted); }).toThrow(/^EROFS: read-only file system, open /);
  } finally {
    execFileSync('umount', [mounted]);
  }
});
