import { closeSync, constants, fchmodSync, linkSync, lstatSync, openSync, renameSync, rmSync, statfsSync, statSync, unlinkSync } from 'node:fs';
import { messageOf } from '../../server/text';
import { basename, join } from 'node:path';
import { TrustedDirectory } from '../../server/trusted-directory';
import { AnchorFile } from './anchor-file';
import { classify, isSameFile, type FileIdentity, type Standing } from './classify';
import { adoptOrphan, ANCHOR, FOLDER, isSafeFor, makeSticky, NEW_ANCHOR, openFolder, tryLinking } from './folder';
import type { HeldFlock } from './held-flock';
import type { LockUser } from './lock-user';

/** What every lock file of ours begins with; nothing like Helios's tag. */
export const BANNER_START = 'update-lock: ';

const NOT_HELD = `${BANNER_START}not held\n`;

/**
 * The file that the lock files of a directory are names of. It has its content and its flock before it gets such a
 * name, so that the lock appears complete and at once, by `link(2)`, which fails if the name exists. All work in its
 * directory is done here, as the user who can do it.
 */
export class Anchor implements FileIdentity {
  /** Whether its files belong to the lock's user; if not, to the user as whom we were started. */
  readonly isLockUsers: boolean;
  readonly #directory: TrustedDirectory;
  readonly #folder: TrustedDirectory;
  readonly #act: <T>(action: () => T) => T;
  #file: AnchorFile;

  /**
   * Opens the anchor of a directory, makes it if it is missing.
   * @param names the lock files in that directory, one of which may be a name of an anchor whose folder was deleted
   * @param isOurs whether the directory is there for lock files, and may be made one in which each user's are safe
   * @throws the system's error if the directory cannot be used, or one that says whose it is
   */
  constructor(
    readonly directory: string,
    names: readonly string[],
    private readonly user: LockUser,
    private readonly isOurs: boolean,
  ) {
    this.#directory = user.actAsStarted(() => TrustedDirectory.open(directory, user.startedUid));
    let fd: number | undefined;
    let folder: TrustedDirectory | undefined;
    try {
      folder = user.actAsStarted(() => openFolder(this.#directory, user, isOurs));
      this.#folder = folder;
      this.isLockUsers = user.actAsStarted(() => isSafeFor(user, this.#folder));
      this.#act = this.isLockUsers ? (action) => user.act(action) : (action) => user.actAsStarted(action);
      fd = this.#inFolder(() => this.#openAnchor(names));
      this.#file = new AnchorFile(fd, user);
      this.#complete(this.#file);
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      folder?.close();
      this.#directory.close();
      throw error;
    }
  }

  #openAnchor(names: readonly string[]): number {
    const path = this.#folder.at(ANCHOR);
    let isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    if (!isThere) {
      isThere = adoptOrphan(this.#folder, names, [this.user.uid, this.user.startedUid], BANNER_START);
      tryLinking(this.#folder.place);
    }
    // If it is removed now, a new one would make our lock files on disk those of nobody.
    const flags = constants.O_RDWR | constants.O_NOFOLLOW | (isThere ? 0 : constants.O_CREAT);
    return openSync(path, flags, 0o644);
  }

  get fd(): number {
    return this.#file.fd;
  }

  get dev(): number {
    return this.#file.dev;
  }

  get ino(): number {
    return this.#file.ino;
  }

  get flock(): HeldFlock {
    return this.#file.flock;
  }

  /** Whether nobody but us can have its flock, or wait for it: it has not been the lock, and our own flock is on it. */
  get isFresh(): boolean {
    return !this.#file.wasLock && !this.flock.isInherited && this.flock.problem === null;
  }

  /**
   * Puts a fresh file in the place of the present one, unless that is fresh; the flock of the present one is then free for others.
   * To be called while the present one is not the lock. It stays if the other cannot be made, or its flock cannot be had.
   * @returns what went wrong, null if nothing did
   */
  renew(): string | null {
    if (this.isFresh) return null;
    let next: AnchorFile | undefined;
    try {
      this.remove(NEW_ANCHOR);
      next = new AnchorFile(this.open(NEW_ANCHOR, constants.O_EXCL), this.user);
      next.write(NOT_HELD);
      // Before anybody else may open it.
      const problem = next.flock.hold();
      if (problem !== null) throw new Error(problem);
      this.#complete(next);
      this.rename(NEW_ANCHOR, ANCHOR);
    } catch (error) {
      next?.close(false);
      this.#tryToRemove(NEW_ANCHOR);
      return messageOf(error);
    }
    this.#file.close(false);
    this.#file = next;
    return null;
  }

  #complete(file: AnchorFile): void {
    this.#act(() => {
      fchmodSync(file.fd, 0o644);
    });
    if (file.isEmpty) file.write(NOT_HELD);
  }

  #tryToRemove(name: string): void {
    try {
      this.remove(name);
    } catch {
      // It does no harm, and the next one is made in its place.
    }
  }

  /** Opens another file of our folder for reading and writing, makes it if it is missing. */
  open(name: string, flags = 0): number {
    return this.#inFolder(() => openSync(this.#folder.at(name), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | flags, 0o600));
  }

  /** Puts one file of our folder in the place of another. */
  rename(from: string, to: string): void {
    this.#inFolder(() => {
      renameSync(this.#folder.at(from), this.#folder.at(to));
    });
  }

  /** Which file of our folder has that name; null if none has. */
  identify(name: string): FileIdentity | null {
    return this.#inFolder(() => lstatSync(this.#folder.at(name), { throwIfNoEntry: false })) ?? null;
  }

  remove(name: string): void {
    this.#inFolder(() => {
      rmSync(this.#folder.at(name), { force: true });
    });
  }

  /** Gives the anchor one more name; throws EEXIST if there is a file, or anything else, of that name. */
  linkTo(path: string): void {
    this.#inFolder(() => {
      linkSync(this.#folder.at(ANCHOR), this.#directory.at(basename(path)));
    });
    this.#file.wasLock = true;
  }

  #inFolder<T>(action: () => T): T {
    return this.#folder.do(() => this.#act(action));
  }

  /**
   * Removes a name that was just seen to be the anchor's. Where the kernel can tell that it is not any more, throws
   * EPERM or EACCES.
   */
  unlink(path: string): void {
    // In the directory that was opened: another may have come to its path, and we must change nothing in that.
    const remove = (): void => { unlinkSync(this.#directory.at(basename(path))); };
    try {
      this.#act(remove);
    } catch (error) {
      if (this.look(path) !== 'ours') throw error;
      // Somebody has changed the mode of the directory, or of one above.
      if (this.isOurs) {
        this.user.actAsStarted(() => {
          makeSticky(this.#directory);
        });
      }
      if (this.#isReachable()) this.#act(remove);
      else this.user.actAsStarted(remove);
    }
  }

  /** Whose file is at a path of this directory; `unknown` if it cannot be looked at. */
  look(path: string): Standing {
    const lookNow = (): Standing => {
      try {
        return classify(path, this);
      } catch {
        return 'unknown';
      }
    };
    const standing = this.#act(lookNow);
    // A directory above may have been closed to the user, and Helios's file is: only root may read what it begins with.
    const isDoubtful = standing === 'unknown' || standing === 'foreign';
    return isDoubtful && this.isLockUsers ? this.user.actAsStarted(lookNow) : standing;
  }

  #isReachable(): boolean {
    try {
      this.#act(() => statSync(join(this.directory, FOLDER)));
      return true;
    } catch {
      return false;
    }
  }

  /** How many names the anchor has, its own included. */
  countNames(): number {
    return this.#file.countNames();
  }

  /** Whether the directory at the path is still the one that the anchor is in, and the anchor is still there. */
  isInPlace(): boolean {
    return this.#act(() => {
      try {
        const isSameDirectory = isSameFile(statSync(this.directory), this.#directory.stats());
        return isSameDirectory && isSameFile(lstatSync(join(this.directory, FOLDER, ANCHOR)), this);
      } catch {
        return false;
      }
    });
  }

  /** Whether the file system has no room left. Throws if it cannot be asked. */
  isFull(): boolean {
    const { blocks, bavail, files, ffree } = this.#act(() => statfsSync(this.#folder.place));
    return (blocks > 0 && bavail === 0) || (files > 0 && ffree === 0);
  }

  /** Replaces the content, of every name at once. */
  write(text: string): void {
    this.#file.write(text);
  }

  close(keepFlock: boolean): void {
    this.#file.close(keepFlock);
    this.#folder.close();
    this.#directory.close();
  }
}
