import { chmodSync, chownSync, closeSync, constants, fstatSync, linkSync, lstatSync, openSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { O_PATH, type TrustedDirectory } from '../../server/trusted-directory';
import { isSameFile, startsWith } from './classify';
import { codeOf } from './system-error';
import { LOCK_USER_ID, STICKY_MODE, type LockUser } from './lock-user';

/** Our folder beside the lock files. No name in it ends in `updates.lock`, which the host and the Supervisor look for. */
export const FOLDER = '.update-lock';

/** The anchor in it, and a file that is about to become the anchor. */
export const ANCHOR = 'anchor';
export const NEW_ANCHOR = 'anchor.new';

/**
 * Makes our folder in the lock directory, or sees that the folder that is there is ours, and gives it to the lock's user. To be
 * called as the user as whom we were started.
 */
export function openFolder(directory: TrustedDirectory, user: LockUser, isOurs: boolean): TrustedDirectory {
  if (isOurs) makeSticky(directory);
  const ownUids = [user.uid, user.startedUid, LOCK_USER_ID];
  const folder = directory.enter(FOLDER, ownUids);
  // It may be a link to a file of somebody else, see adoptOrphan, which would be given away with our own files.
  unlinkIfThere(folder.at(NEW_ANCHOR));
  giveTo(isOurs && isSticky(directory) ? user.uid : user.startedUid, folder, ownUids);
  return folder;
}

/** Makes the directory one in which the kernel protects each user's files; without the right to, it stays as it is. */
export function makeSticky(directory: TrustedDirectory): void {
  try {
    if ((directory.stats().mode & 0o7777) !== STICKY_MODE) chmodSync(directory.place, STICKY_MODE);
  } catch {
    // We may not change it. If it cannot be used, opening the anchor fails.
  }
}

/**
 * Whether the folder belongs to the lock's user, who is another user than we, and who can work in it. To be called as
 * the user as whom we were started, who can look at it in any case.
 */
export function isSafeFor(user: LockUser, folder: TrustedDirectory): boolean {
  if (!user.isOther || folder.stats().uid !== user.uid) return false;
  try {
    user.act(() => statSync(join(folder.path, '.')));
    return true;
  } catch {
    // A directory above is closed to that user.
    giveTo(user.startedUid, folder, [user.uid]);
    return false;
  }
}

/**
 * If our folder was deleted but a lock file of ours was not, that file would block for ever. It becomes the anchor again:
 * its flock tells whether somebody still holds it.
 * @param uids the users to whom our lock files may belong
 * @returns whether there is one
 */
export function adoptOrphan(folder: TrustedDirectory, names: readonly string[], uids: readonly number[], textStart: string): boolean {
  const candidate = folder.at(NEW_ANCHOR);
  for (const name of names) {
    const stats = lstatSync(name, { throwIfNoEntry: false });
    if (stats?.isFile() !== true || !uids.includes(stats.uid) || !startsWith(name, Buffer.from(textStart))) continue;
    try {
      unlinkIfThere(candidate);
      linkSync(name, candidate);
      // Somebody may have put another file there since we looked, and that must not be our anchor even for a moment: we may be killed in it.
      const isOurs = isSameFile(lstatSync(candidate), stats);
      if (isOurs) renameSync(candidate, folder.at(ANCHOR));
      else unlinkSync(candidate);
      if (isOurs) return true;
    } catch {
      // Gone, or this file system has no hard links: then it was not an anchor either.
    }
  }
  return false;
}

/** Finds out now, rather than when an app asks for the lock, whether this file system has hard links. */
export function tryLinking(folder: string): void {
  const from = join(folder, `probe-${String(process.pid)}`);
  const to = `${from}-link`;
  closeSync(openSync(from, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW));
  try {
    // A process that was killed just here may have left it, and every container's first process has the same number.
    unlinkIfThere(to);
    linkSync(from, to);
    unlinkSync(to);
  } finally {
    unlinkSync(from);
  }
}

/** Does what `rmSync` does with `force`, which would load another module. */
function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function isSticky(directory: TrustedDirectory): boolean {
  return (directory.stats().mode & 0o1003) === 0o1003;
}

/**
 * Gives the folder and its files to a user: a former sidecar may have run as another user, or with fewer rights.
 * @param fromUids whose files are given away, and nobody else's
 */
function giveTo(uid: number, folder: TrustedDirectory, fromUids: readonly number[]): void {
  try {
    if (folder.stats().uid !== uid) chownSync(folder.place, uid, -1);
    for (const name of readdirSync(folder.place)) giveFileTo(uid, folder.at(name), fromUids);
  } catch {
    // Without the right to do this, the files keep their owner. If they cannot be used, opening them fails.
  }
}

/** Gives away the file that was checked, even if another has come to its path meanwhile. */
function giveFileTo(uid: number, path: string, fromUids: readonly number[]): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(fd);
    if (stats.isFile() && stats.uid !== uid && fromUids.includes(stats.uid)) chownSync(`/proc/self/fd/${String(fd)}`, uid, -1);
  } finally {
    closeSync(fd);
  }
}
