import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, constants, fstatSync, linkSync, lstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flock } from '../../sidecar/lock/flock';
import { endGuard, findGuards, Guard } from '../../sidecar/lock/guard';
import { LOCK_USER_ID, LockUser } from '../../sidecar/lock/lock-user';
import { NOBODY } from '../support/readers';
import { endGuards, makeFolder } from '../support/sidecar';
import { until } from '../support/until';
import { Kernel } from './kernel';
import { file, folder, heliosFile, lockfile, type Maker } from './others';
import { performAs } from './permissions';

/** What the interleavings imitate is compared with the real thing. */

const top = makeFolder();
afterAll(() => {
  endGuards(top);
  rmSync(top, { recursive: true });
});

let count = 0;
function newFolder(mode: number): string {
  count += 1;
  const path = join(top, String(count));
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

function facts(path: string): unknown {
  const { uid, mode, size } = lstatSync(path);
  return { uid, mode, size, content: readFileSync(path, 'latin1') };
}

test('the file of the Supervisor is that of lockfile, and neither replaces anything', () => {
  const path = join(newFolder(0o1777), 'updates.lock');
  const run = (): number | null => spawnSync('lockfile', ['-r', '0', path], { uid: NOBODY, gid: NOBODY }).status;
  expect(run()).toBe(0);
  const real = facts(path);
  expect(run()).toBe(73);
  expect(() => { lockfile(path); }).toThrow('EEXIST');
  rmSync(path, { force: true });
  lockfile(path);
  chownSync(path, NOBODY, NOBODY);
  expect(facts(path)).toEqual(real);
});

const MAKERS: Readonly<Record<string, Maker>> = { file, heliosFile, folder };
const OPERATIONS: Readonly<Record<string, (path: string, other: string) => unknown>> = {
  openSync: (path) => openSync(path, constants.O_RDONLY),
  openForWriting: (path) => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600),
  unlinkSync: (path) => { unlinkSync(path); },
  rmSync: (path) => { rmSync(path, { force: true }); },
  renameSync: (path, other) => { renameSync(other, path); },
  renameAway: (path, other) => { renameSync(path, `${other}-too`); },
  linkSync: (path, other) => { linkSync(other, path); },
};
const ARGUMENTS: Readonly<Record<string, (path: string, other: string) => { name: string; args: unknown[] }>> = {
  openForWriting: (path) => ({ name: 'openSync', args: [path, constants.O_RDWR | constants.O_CREAT] }),
  openSync: (path) => ({ name: 'openSync', args: [path, constants.O_RDONLY] }),
  renameSync: (path, other) => ({ name: 'renameSync', args: [other, path] }),
  renameAway: (path, other) => ({ name: 'renameSync', args: [path, `${other}-too`] }),
  linkSync: (path, other) => ({ name: 'linkSync', args: [other, path] }),
};
const OWNERS = [0, 1000, NOBODY, LOCK_USER_ID];

describe.each(['absent', ...Object.keys(MAKERS)])('where a name is taken by: %s', (kind) => {
  test.each(Object.keys(OPERATIONS))('%s may do what the kernel lets a user do', (name) => {
    for (const owner of OWNERS) for (const mode of [0o755, 0o777, 0o1777]) for (const directoryOwner of [0, LOCK_USER_ID]) {
      expect([owner, mode, directoryOwner, outcome(name, kind, owner, mode, directoryOwner, true)]).toEqual([owner, mode, directoryOwner, outcome(name, kind, owner, mode, directoryOwner, false)]);
    }
  });
});

/** The code of the error, or who owns what is then there. */
function outcome(name: string, kind: string, owner: number, mode: number, directoryOwner: number, isReal: boolean): unknown {
  const directory = newFolder(mode);
  chownSync(directory, directoryOwner, -1);
  const [path, other] = [join(directory, 'name'), join(directory, 'other')];
  const maker = MAKERS[kind];
  maker?.(path);
  if (maker !== undefined) chownSync(path, owner, -1);
  writeFileSync(other, '', { mode: 0o644 });
  chownSync(other, LOCK_USER_ID, -1);
  const perform = (): unknown => OPERATIONS[name]?.(path, other);
  try {
    if (isReal) process.seteuid?.(LOCK_USER_ID);
    const result = isReal ? perform() : performAs(LOCK_USER_ID, ARGUMENTS[name]?.(path, other) ?? { name, args: [path] }, perform);
    if (typeof result === 'number') closeSync(result);
  } catch (error) {
    // By the error of rmSync nothing can be told, since it has tried other things, too.
    return name === 'rmSync' ? 'refused' : (error as NodeJS.ErrnoException).code;
  } finally {
    if (isReal) process.seteuid?.(0);
  }
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 'absent' : [stats.uid, stats.mode];
}

test('a flock belongs to what was opened, and a guard keeps it', async () => {
  const user = LockUser.detect();
  const kernel = new Kernel();
  const path = join(newFolder(0o755), 'anchor');
  const [first, second] = [openSync(path, 'w'), openSync(path, 'r')];
  const { dev, ino } = fstatSync(first);
  const anchor = { dev, ino, fd: first };
  const real: unknown[] = [flock([first]).kind, flock([first]).kind, flock([second]).kind];
  const imitated: unknown[] = [first, first, second].map((fd) => (kernel.flock(fd) ? 'locked' : 'conflict'));
  new Guard(anchor, user);
  const [pid = 0] = findGuards(anchor, user);
  const imitatedPid = kernel.startGuard(anchor);
  real.push(findGuards(anchor, user).length);
  imitated.push(kernel.guardsOf(anchor).length);
  closeSync(first);
  kernel.closed(first);
  real.push(flock([second]).kind);
  imitated.push(kernel.flock(second) ? 'locked' : 'conflict');
  endGuard(pid, user);
  kernel.endGuard(imitatedPid);
  await until(() => flock([second]).kind === 'locked');
  real.push('locked', findGuards(anchor, user).length);
  imitated.push(kernel.flock(second) ? 'locked' : 'conflict', kernel.guardsOf(anchor).length);
  closeSync(second);
  kernel.closed(second);
  expect(imitated).toEqual(real);
  expect(real).toEqual(['locked', 'locked', 'conflict', 1, 'conflict', 'locked', 0]);
});
