import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isSameFile, startsWith, type FileIdentity } from './classify';
import { STICKY_MODE, type Owner } from './owner';

/** Our folder beside the lock files. No name in it ends in `updates.lock`, which the host and the Supervisor look for. */
export const FOLDER = '.update-lock';

/** What every lock file of ours begins with; nothing like Helios's tag. */
export const BANNER_START = 'update-lock: ';

/**
 * The file that the lock files are names of. It has its content and its flock before it gets such a name, so that the
 * lock appears complete and at once, by `link(2)`, which fails if the name exists.
 */
export class Anchor implements FileIdentity {
  readonly path: string;
  readonly fd: number;
  readonly dev: number;
  readonly ino: number;
  readonly #directory: FileIdentity;
  readonly #act: <T>(action: () => T) => T;
  #length: number;

  /**
   * Opens the anchor of a directory, makes it if it is missing.
   * @param names the lock files in that directory, one of which may be a name of an anchor whose folder was deleted
   * @param isOurs whether the directory is there for lock files, and may be made one in which each user's are safe
   * @throws the system's error if the directory cannot be used
   */
  constructor(
    readonly directory: string,
    names: readonly string[],
    owner: Owner,
    isOurs: boolean,
  ) {
    owner.actAsStarted(() => {
      mkdirSync(directory, { recursive: true });
      if (isOurs) makeSticky(directory);
    });
    this.#directory = statSync(directory);
    const isOwners = isSafeFor(owner, directory);
    const uid = isOwners ? owner.uid : owner.startedUid;
    this.#act = isOwners ? (action) => owner.act(action) : (action) => owner.actAsStarted(action);
    const folder = join(directory, FOLDER);
    owner.actAsStarted(() => {
      makeFolder(folder, uid, owner);
    });
    this.path = join(folder, 'anchor');
    this.fd = this.#act(() => {
      adoptOrphan(this.path, names, uid);
      tryLinking(folder);
      return openSync(this.path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
    });
    const stats = fstatSync(this.fd);
    this.dev = stats.dev;
    this.ino = stats.ino;
    this.#length = stats.size;
    try {
      this.#act(() => {
        fchmodSync(this.fd, 0o644);
      });
      if (stats.size === 0) this.write(`${BANNER_START}not held\n`);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Opens another file of our folder. */
  open(name: string, flags: number): number {
    return this.#act(() => openSync(join(dirname(this.path), name), flags | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
  }

  /** Gives the anchor one name more; throws EEXIST if it is taken, by whatever. */
  linkTo(path: string): void {
    this.#act(() => {
      linkSync(this.path, path);
    });
  }

  /**
   * Removes a name that was just seen to be the anchor's. Where the kernel can tell that it is not any more, throws
   * EPERM or EACCES.
   */
  unlink(path: string): void {
    this.#act(() => {
      unlinkSync(path);
    });
  }

  /** How many names the anchor has, its own included. */
  countNames(): number {
    return fstatSync(this.fd).nlink;
  }

  /** Whether the directory at the path is still the one that the anchor is in, and the anchor is still there. */
  isInPlace(): boolean {
    const directory = statSync(this.directory, { throwIfNoEntry: false });
    const anchor = lstatSync(this.path, { throwIfNoEntry: false });
    return (
      directory !== undefined &&
      isSameFile(directory, this.#directory) &&
      anchor !== undefined &&
      isSameFile(anchor, this)
    );
  }

  /** Replaces the content, of every name at once. Overwrites in place, which needs no space on a full disk. */
  write(text: string): void {
    const length = writeSync(this.fd, text, 0);
    if (length < this.#length) ftruncateSync(this.fd, length);
    this.#length = length;
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Makes the directory one in which the kernel protects each user's files; without the right to, it stays as it is. */
function makeSticky(directory: string): void {
  try {
    if ((statSync(directory).mode & 0o7777) !== STICKY_MODE) chmodSync(directory, STICKY_MODE);
  } catch {
    // Not ours to change. Whether it can be used at all shows when the anchor is opened.
  }
}

/** Whether the owner can work in the directory, and its files are safe there from everybody else and they from it. */
function isSafeFor(owner: Owner, directory: string): boolean {
  if (!owner.isOther || (statSync(directory).mode & 0o1003) !== 0o1003) return false;
  try {
    owner.act(() => statSync(join(directory, '.')));
    return true;
  } catch {
    return false;
  }
}

/** Makes our folder, or sees that the one that is there was not put there by somebody else. */
function makeFolder(folder: string, uid: number, owner: Owner): void {
  // Not `recursive`, which reports a read-only file system as ENOENT.
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) mkdirSync(folder, { mode: 0o755 });
  const stats = lstatSync(folder);
  if (!stats.isDirectory() || (stats.uid !== owner.uid && stats.uid !== owner.startedUid)) {
    throw new Error(`${folder} is not a directory of this user; remove it`);
  }
  if (stats.uid !== uid) lchownSync(folder, uid, -1);
}

/**
 * If our folder was deleted but a lock file of ours was not, that file would be nobody's and block for ever. It
 * becomes the anchor again: whether somebody still holds it, its flock will tell.
 */
function adoptOrphan(anchorPath: string, names: readonly string[], uid: number): void {
  if (lstatSync(anchorPath, { throwIfNoEntry: false }) !== undefined) return;
  for (const name of names) {
    const stats = lstatSync(name, { throwIfNoEntry: false });
    if (stats?.isFile() !== true || stats.uid !== uid || !startsWith(name, Buffer.from(BANNER_START))) continue;
    try {
      linkSync(name, anchorPath);
      return;
    } catch {
      // Gone, or this file system has no hard links: then it was not an anchor either.
    }
  }
}

/** Finds out now, rather than when an app asks for the lock, whether this file system has hard links. */
function tryLinking(folder: string): void {
  const [from, to] = [join(folder, 'probe'), join(folder, 'probe-link')];
  for (const path of [from, to]) rmSync(path, { force: true });
  writeFileSync(from, '');
  linkSync(from, to);
  for (const path of [from, to]) rmSync(path);
}
