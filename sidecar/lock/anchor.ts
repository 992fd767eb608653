import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
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
  #length: number;

  /**
   * Opens the anchor of a directory, makes it if it is missing.
   * @param names the lock files in that directory, one of which may be a name of an anchor whose folder was deleted
   * @throws the system's error if the directory cannot be used
   */
  constructor(
    readonly directory: string,
    names: readonly string[],
    readonly owner: Owner,
  ) {
    mkdirSync(directory, { recursive: true });
    this.#directory = statSync(directory);
    const folder = openFolder(directory);
    this.path = join(folder, 'anchor');
    adoptOrphan(this.path, names, owner);
    this.fd = openSync(this.path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
    try {
      fchmodSync(this.fd, 0o644);
      if (owner.isOther) fchownSync(this.fd, owner.uid, owner.uid);
      const stats = fstatSync(this.fd);
      this.dev = stats.dev;
      this.ino = stats.ino;
      this.#length = stats.size;
      if (stats.size === 0) this.write(`${BANNER_START}not held\n`);
      tryLinking(this.path, join(folder, 'probe'));
    } catch (error) {
      closeSync(this.fd);
      throw error;
    }
  }

  /** Gives the anchor one name more; throws EEXIST if it is taken, by whatever. */
  linkTo(path: string): void {
    linkSync(this.path, path);
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
    const content = Buffer.from(text);
    writeSync(this.fd, content, 0, content.length, 0);
    if (content.length < this.#length) ftruncateSync(this.fd, content.length);
    this.#length = content.length;
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Makes the directory one in which the kernel protects each user's files; without the right to, it stays as it is. */
export function makeSticky(directory: string): void {
  const { mode } = statSync(directory);
  if ((mode & 0o7777) === STICKY_MODE) return;
  try {
    chmodSync(directory, STICKY_MODE);
  } catch {
    // Not ours to change. Whether it can be used at all shows when the anchor is opened.
  }
}

function openFolder(directory: string): string {
  const folder = join(directory, FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const stats = lstatSync(folder);
  if (!stats.isDirectory() || stats.uid !== process.geteuid?.()) {
    throw new Error(`${folder} is not a directory of this user; remove it`);
  }
  return folder;
}

/**
 * If our folder was deleted but a lock file of ours was not, that file would be nobody's and block for ever. It
 * becomes the anchor again: whether somebody still holds it, its flock will tell.
 */
function adoptOrphan(anchorPath: string, names: readonly string[], owner: Owner): void {
  if (lstatSync(anchorPath, { throwIfNoEntry: false }) !== undefined) return;
  for (const name of names) {
    const stats = lstatSync(name, { throwIfNoEntry: false });
    if (stats?.isFile() !== true || stats.uid !== owner.uid || !startsWith(name, Buffer.from(BANNER_START))) continue;
    try {
      linkSync(name, anchorPath);
      return;
    } catch {
      // Gone, or this file system has no hard links: then it was not an anchor either.
    }
  }
}

/** Finds out now, rather than when an app asks for the lock, whether this file system has hard links. */
function tryLinking(from: string, to: string): void {
  rmSync(to, { force: true });
  linkSync(from, to);
  unlinkSync(to);
}
