import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** Opens a file only as a place in the tree, which needs no right to read it. Node.js has no name for this flag of Linux. */
export const O_PATH = 0o10000000;
const AS_PLACE = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** The number of links that the kernel follows in one path. */
const MAX_LINKS = 40;

/**
 * A directory in which it is safe to work with root's rights: it belongs to root or to us, so nobody else can change what is in it. It
 * is kept open, and everything done through {@link at} is done in this very directory, even if another one has come to its path.
 */
export class TrustedDirectory {
  private constructor(
    readonly path: string,
    private readonly fd: number,
    private readonly trustedUids: readonly number[],
  ) {}

  /**
   * Opens a directory; makes it, and those above it, if they are missing. Links on the way are followed only if they belong to root or
   * to us, and the directory itself must not be a link.
   * @param path an absolute path
   * @throws the system's error, or one that says who has the directory and who should
   */
  static open(path: string, ownUid: number): TrustedDirectory {
    const trustedUids = [...new Set([0, ownUid])];
    let directory = TrustedDirectory.#root(trustedUids);
    try {
      const names = partsOf(path);
      for (let links = 0, name = names.shift(); name !== undefined; name = names.shift()) {
        const target = directory.#linkTarget(name, names.length === 0);
        if (target !== null) {
          links += 1;
          if (links > MAX_LINKS) throw new Error(`${path}: too many symbolic links`);
          names.unshift(...partsOf(target));
        }
        if (target !== null && !target.startsWith('/')) continue;
        const next = target === null ? directory.#enter(name) : TrustedDirectory.#root(trustedUids);
        directory.close();
        directory = next;
      }
      directory.#refuseOthers([]);
      return directory;
    } catch (error) {
      directory.close();
      throw error;
    }
  }

  static #root(trustedUids: readonly number[]): TrustedDirectory {
    return new TrustedDirectory('/', openSync('/', AS_PLACE), trustedUids);
  }

  /** Opens one directory in this one, makes it if it is missing; it must belong to root, to us or to one of these users. */
  enter(name: string, otherUids: readonly number[]): TrustedDirectory {
    const directory = this.#enter(name);
    try {
      directory.#refuseOthers(otherUids);
      return directory;
    } catch (error) {
      directory.close();
      throw error;
    }
  }

  /** The path by which this very directory is reached. */
  get place(): string {
    return `/proc/self/fd/${String(this.fd)}`;
  }

  /** The path by which a file of this very directory is reached. */
  at(name: string): string {
    return `${this.place}/${name}`;
  }

  stats(): Stats {
    return fstatSync(this.fd);
  }

  /** Does something with paths of {@link at}. */
  do<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw this.named(error);
    }
  }

  /** An error about a path of {@link at}, with the path that people know. */
  named(error: unknown): unknown {
    if (error instanceof Error) error.message = error.message.replaceAll(this.at(''), join(this.path, '/'));
    return error;
  }

  close(): void {
    closeSync(this.fd);
  }

  /** Where a link leads, null if there is none of that name. */
  #linkTarget(name: string, isLast: boolean): string | null {
    const stats = lstatSync(this.at(name), { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() !== true) return null;
    const path = join(this.path, name);
    if (isLast) throw new Error(`${path} is a symbolic link; it must be a directory`);
    if (!this.trustedUids.includes(stats.uid)) throw new Error(`${path} is a symbolic link of uid ${String(stats.uid)}, and is not followed`);
    return readlinkSync(this.at(name));
  }

  #enter(name: string): TrustedDirectory {
    const fd = this.do(() => {
      if (lstatSync(this.at(name), { throwIfNoEntry: false }) === undefined) makeDirectory(this.at(name));
      return openSync(this.at(name), AS_PLACE);
    });
    return new TrustedDirectory(join(this.path, name), fd, this.trustedUids);
  }

  #refuseOthers(otherUids: readonly number[]): void {
    const { uid } = this.stats();
    if (this.trustedUids.includes(uid) || otherUids.includes(uid)) return;
    const allowed = this.trustedUids.map((each) => (each === 0 ? 'root' : `uid ${String(each)}`)).join(' or ');
    throw new Error(`${this.path} belongs to uid ${String(uid)}, who can change what is in it at any time; it must belong to ${allowed}`);
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (error) {
    // Another process has been quicker.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
