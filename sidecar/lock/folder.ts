import { chmodSync, lchownSync, linkSync, lstatSync, mkdirSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../make-directories';
import { startsWith } from './classify';
import { codeOf } from './system-error';
import { LOCK_OWNER_UID, STICKY_MODE, type Owner } from './owner';

/** Our folder beside the lock files. No name in it ends in `updates.lock`, which the host and the Supervisor look for. */
const FOLDER = '.update-lock';

/**
 * Makes the lock directory and our folder in it, or sees that the folder that is there is ours, and gives it to the
 * lock's owner. To be called as the user as whom we were started.
 * @param isOurs whether the directory is there for lock files, and may be made one in which each user's are safe
 */
export function prepareFolder(directory: string, owner: Owner, isOurs: boolean): string {
  makeDirectories(directory);
  if (isOurs) makeSticky(directory);
  const folder = join(directory, FOLDER);
  // Not `recursive`, which reports a read-only file system as ENOENT.
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) mkdirSync(folder, { mode: 0o755 });
  const { uid } = lstatSync(folder);
  if (!lstatSync(folder).isDirectory() || ![owner.uid, owner.startedUid, LOCK_OWNER_UID].includes(uid)) {
    throw new Error(`${folder} is not a directory of this user; remove it`);
  }
  giveTo(isOurs && isSticky(directory) ? owner.uid : owner.startedUid, folder);
  return folder;
}

/** Makes the directory one in which the kernel protects each user's files; without the right to, it stays as it is. */
export function makeSticky(directory: string): void {
  try {
    if ((statSync(directory).mode & 0o7777) !== STICKY_MODE) chmodSync(directory, STICKY_MODE);
  } catch {
    // Not ours to change. Whether it can be used at all shows when the anchor is opened.
  }
}

/**
 * Whether the folder belongs to the lock's owner, who is another user than we, and who can work in it. To be called as
 * the user as whom we were started, who can look at it in any case.
 */
export function isSafeFor(owner: Owner, folder: string): boolean {
  if (!owner.isOther || lstatSync(folder).uid !== owner.uid) return false;
  try {
    owner.act(() => statSync(join(folder, '.')));
    return true;
  } catch {
    // A directory above is closed to that user.
    giveTo(owner.startedUid, folder);
    return false;
  }
}

/**
 * If our folder was deleted but a lock file of ours was not, that file would be nobody's and block for ever. It
 * becomes the anchor again: whether somebody still holds it, its flock will tell.
 */
export function adoptOrphan(anchorPath: string, names: readonly string[], uid: number, bannerStart: string): void {
  for (const name of names) {
    const stats = lstatSync(name, { throwIfNoEntry: false });
    if (stats?.isFile() !== true || stats.uid !== uid || !startsWith(name, Buffer.from(bannerStart))) continue;
    try {
      linkSync(name, anchorPath);
      return;
    } catch {
      // Gone, or this file system has no hard links: then it was not an anchor either.
    }
  }
}

/** Finds out now, rather than when an app asks for the lock, whether this file system has hard links. */
export function tryLinking(folder: string): void {
  const from = join(folder, `probe-${String(process.pid)}`);
  const to = `${from}-link`;
  writeFileSync(from, '');
  try {
    // A process that was killed just here may have left it, and every container's first process has the same number.
    unlinkIfThere(to);
    linkSync(from, to);
    unlinkSync(to);
  } finally {
    unlinkSync(from);
  }
}

/** As `rmSync` with `force`, but that loads a module of its own first. */
function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function isSticky(directory: string): boolean {
  return (statSync(directory).mode & 0o1003) === 0o1003;
}

/** Gives the folder and what is in it to a user: a former sidecar may have been started as another, or with less rights. */
function giveTo(uid: number, folder: string): void {
  try {
    for (const path of [folder, ...readdirSync(folder).map((name) => join(folder, name))]) {
      if (lstatSync(path).uid !== uid) lchownSync(path, uid, -1);
    }
  } catch {
    // Without the right to, whoever has the files keeps them; whether they can be used shows when they are opened.
  }
}
