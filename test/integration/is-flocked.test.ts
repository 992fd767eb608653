import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFlocked } from '../../sidecar/lock/is-flocked';
import { LockUser } from '../../sidecar/lock/lock-user';
import { makeFolder } from '../support/sidecar';
import { until } from '../support/until';

const user = LockUser.detect();
let folder: string;
let path: string;
let holder: ChildProcess | null;

beforeEach(() => {
  folder = makeFolder();
  path = join(folder, 'updates.lock');
  holder = null;
});
afterEach(async () => {
  await letGo();
  rmSync(folder, { recursive: true });
});

/** A program that holds the flock of the file, until the test ends it. The program that flock(1) runs does not have the open file: it may end a moment later. */
async function hold(how: '-x' | '-s'): Promise<void> {
  const ready = join(folder, 'ready');
  holder = spawn('flock', [how, '--close', path, 'sh', '-c', 'touch "$0"; exec sleep 1000', ready], { stdio: 'ignore', detached: true });
  await until(() => existsSync(ready));
}

async function letGo(): Promise<void> {
  if (holder === null) return;
  process.kill(-Number(holder.pid), 'SIGKILL');
  await once(holder, 'close');
  holder = null;
}

/** As the sidecar asks after its start, when it works as the lock's user. */
async function ask(file = lstatSync(path)): Promise<boolean | null> {
  user.dropPrivileges();
  try {
    return await isFlocked(path, file, user);
  } finally {
    user.regainPrivileges();
  }
}

test.each(['-x', '-s'] as const)("root's file of mode 0600 is flocked exactly while a process holds its flock with flock %s", async (how) => {
  writeFileSync(path, '', { mode: 0o600 });
  expect(await ask()).toBe(false);
  await hold(how);
  expect(await ask()).toBe(true);
  await letGo();
  expect(await ask()).toBe(false);
});

test("so is another user's", async () => {
  writeFileSync(path, 'mine', { mode: 0o644 });
  chownSync(path, 1000, 1000);
  expect(await ask()).toBe(false);
  await hold('-x');
  expect(await ask()).toBe(true);
});

test('the file is neither changed nor flocked any more by the time of the answer', async () => {
  writeFileSync(path, 'mine');
  const { mtimeMs, ctimeMs, atimeMs, ino, size, nlink, mode } = lstatSync(path);
  for (let round = 0; round < 20; round += 1) {
    expect(await ask()).toBe(false);
    expect(spawnSync('flock', ['-nx', path, 'true']).status).toBe(0);
  }
  expect(lstatSync(path)).toMatchObject({ mtimeMs, ctimeMs, atimeMs, ino, size, nlink, mode });
});

test.each<[string, () => void]>([
  ['a directory', () => { mkdirSync(path); }],
  ['a pipe', () => { execFileSync('mkfifo', [path]); }],
  ['a dangling link', () => { symlinkSync('/nowhere', path); }],
  ['a link to a file', () => { writeFileSync(join(folder, 'other'), ''); symlinkSync('other', path); }],
  ['a device', () => { execFileSync('mknod', [path, 'c', '1', '3']); }],
])('of %s nothing is found out, and nothing waits', async (_, put) => {
  put();
  expect(await ask()).toBeNull();
});

test('of a file that was replaced or removed meanwhile nothing is found out', async () => {
  writeFileSync(path, '');
  const before = lstatSync(path);
  writeFileSync(join(folder, 'other'), '');
  renameSync(join(folder, 'other'), path);
  expect(await ask(before)).toBeNull();
  rmSync(path);
  expect(await ask(before)).toBeNull();
});
