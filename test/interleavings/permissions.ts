import { constants, fchownSync, fstatSync, lstatSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { Operation } from './intercepted-files';

/**
 * What the kernel allows to a user without rights, imitated: to change the user of this process is a signal to each of its threads, and
 * takes longer than everything else here. `imitations.test.ts` compares it with the kernel. All else is done as root.
 */
export function performAs<T>(uid: number, operation: Operation, perform: () => T): T {
  if (uid === 0) return perform();
  const refusal = refusalOf(uid, operation);
  if (refusal !== null) throw Object.assign(new Error(`${refusal}: ${operation.name} ${String(operation.args[0])}`), { code: refusal });
  const isNew = operation.name === 'openSync' && statsOf(operation.args[0]) === undefined;
  const result = perform();
  if (isNew) fchownSync(result as number, uid, -1);
  return result;
}

function refusalOf(uid: number, { name, args: [path, second] }: Operation): 'EACCES' | 'EPERM' | null {
  switch (name) {
    case 'openSync':
      if (statsOf(path) !== undefined) return mayOpen(uid, path, Number(second));
      return (Number(second) & constants.O_CREAT) === 0 ? null : mayAdd(uid, path);
    case 'linkSync':
      return statsOf(second) === undefined ? mayAdd(uid, second) : null;
    case 'unlinkSync':
    case 'rmSync':
      return mayRemove(uid, path);
    case 'renameSync':
      return statsOf(path) === undefined ? null : (mayRemove(uid, path) ?? mayAdd(uid, second) ?? mayRemove(uid, second));
    case 'fchmodSync':
      return fstatSync(path as number).uid === uid ? null : 'EPERM';
    default:
      return null;
  }
}

function mayAdd(uid: number, path: unknown): 'EACCES' | null {
  const directory = directoryOf(path);
  return directory === undefined || has(uid, directory, 0o3) ? null : 'EACCES';
}

/** In a sticky directory only the owner of the file, or of the directory. */
function mayRemove(uid: number, path: unknown): 'EACCES' | 'EPERM' | null {
  const directory = directoryOf(path);
  const file = statsOf(path);
  if (directory === undefined || file === undefined) return null;
  if (!has(uid, directory, 0o3)) return 'EACCES';
  return (directory.mode & 0o1000) === 0 || [file.uid, directory.uid].includes(uid) ? null : 'EPERM';
}

function mayOpen(uid: number, path: unknown, flags: number): 'EACCES' | null {
  const stats = statsOf(path);
  if (stats?.isFile() !== true) return null;
  const isForWriting = (flags & 0o3) !== 0;
  const needed = isForWriting ? 0o6 : 0o4;
  return has(uid, stats, needed) ? null : 'EACCES';
}

function has(uid: number, { uid: owner, mode }: Stats, needed: number): boolean {
  const bits = owner === uid ? mode >> 6 : mode;
  return (bits & needed) === needed;
}

function directoryOf(path: unknown): Stats | undefined {
  return statSync(dirname(String(path)), { throwIfNoEntry: false });
}

function statsOf(path: unknown): Stats | undefined {
  return lstatSync(String(path), { throwIfNoEntry: false });
}
