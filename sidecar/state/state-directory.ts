import { chownSync, closeSync, constants, fsyncSync, lstatSync, openSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { messageOf } from '../../server/text';
import { basename, dirname } from 'node:path';
import { TrustedDirectory } from '../../server/trusted-directory';
import type { FailedEvent } from '../events/event';
import { LOCK_USER_ID, type LockUser } from '../lock/lock-user';

/** A write that failed is tried again after this long, in milliseconds. */
const RETRY_MS = 60_000;

/** No file of ours comes near this many bytes. */
const MAX_BYTES = 1024 * 1024;

/** `OVERLAYFS_SUPER_MAGIC`: the file system of a container's own files, which go with the container. */
const OVERLAY = 0x794c7630;

/** Each value says of which form it is, so that a later version can read it, or an earlier one leave it alone. */
interface Versioned {
  readonly version: number;
}

/**
 * What has to outlive a reboot: a JSON file for each part that has something to remember. Nothing here throws: a directory that
 * cannot be used costs the memory over a reboot, and nothing else.
 */
export class StateDirectory {
  #directory: TrustedDirectory | null = null;
  #isOverlay = false;
  /** What was written last, whether it is on disk or not: reading follows writing. */
  readonly #written = new Map<string, Versioned>();
  readonly #unsaved = new Set<string>();
  #problem: string | null = null;
  #retryTimer: NodeJS.Timeout | undefined;

  /** Makes the directory if it is missing. To be called before privileges are dropped. */
  constructor(
    private readonly path: string,
    private readonly emit: (event: FailedEvent) => void,
    private readonly user: LockUser,
  ) {
    try {
      this.#open();
    } catch (error) {
      // The sidecar says so when it is ready.
      this.#problem = messageOf(error);
    }
  }

  /** Finds out whether the directory can be written. To be called when the lock is held: syncing a slow disk takes long. */
  tryWriting(): void {
    if (this.#problem !== null) return;
    try {
      this.#inDirectory((directory) => {
        replaceFile(directory, 'probe', '');
        rmSync(directory.at('probe'));
      });
    } catch (error) {
      // The sidecar says so when it is ready.
      this.#problem = messageOf(error);
    }
  }

  /** Why what is written may be lost; null if it is kept. */
  problem(): string | null {
    if (this.#problem !== null) return `${this.path} cannot be used, so what it should keep is lost at a reboot: ${this.#problem}`;
    return this.#isOverlay ? `${this.path} is on the container's own file system, so what it keeps is lost when the container is replaced; it should be a volume` : null;
  }

  /**
   * What was written last under a name; null if that is nothing, or cannot be read. A file that cannot be understood is kept aside.
   * @param parse returns null for what it does not understand, a later version for one
   */
  read<T>(name: string, parse: (json: unknown) => T | null): T | null {
    const written = this.#written.get(name);
    if (written !== undefined) return parse(written);
    const file = this.#readFile(name);
    if (file === null) return null;
    const value = parse(file.json);
    if (value === null) this.#setAside(name);
    return value;
  }

  write(name: string, value: Versioned): void {
    this.#written.set(name, value);
    this.#unsaved.add(name);
    this.#save();
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    this.#directory?.close();
    this.#directory = null;
  }

  /** Saves all that is not on disk yet. If that fails, it is tried again by itself, and said once. */
  #save(): void {
    clearTimeout(this.#retryTimer);
    try {
      for (const name of this.#unsaved) {
        this.#saveFile(name);
        this.#unsaved.delete(name);
      }
      this.#problem = null;
    } catch (error) {
      this.#fail(error);
      this.#retryTimer = setTimeout(() => { this.#save(); }, RETRY_MS).unref();
    }
  }

  #saveFile(name: string): void {
    const text = `${JSON.stringify(this.#written.get(name))}\n`;
    // Somebody may have deleted it, or have put another into its place.
    if (!this.#isInPlace()) this.#open();
    this.#inDirectory((directory) => { replaceFile(directory, name, text); });
  }

  #readFile(name: string): { readonly json: unknown } | null {
    let text: string;
    try {
      const read = this.#inDirectory((directory) => readIfThere(directory.at(name)));
      if (read === null) return null;
      text = read;
    } catch (error) {
      this.#fail(error);
      return null;
    }
    try {
      return { json: JSON.parse(text) };
    } catch {
      return { json: undefined };
    }
  }

  #setAside(name: string): void {
    const aside = `${name}.unreadable`;
    try {
      this.#inDirectory((directory) => { renameSync(directory.at(name), directory.at(aside)); });
      this.emit({ type: 'failed', operation: 'state', detail: `${this.path}/${name} cannot be understood; it is kept as ${aside}` });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Opens the directory, makes it if it is missing, and gives it to the lock's user if that can be done. */
  #open(): void {
    this.#directory?.close();
    this.#directory = null;
    const { uid, startedUid } = this.user;
    this.#directory = this.user.actAsStarted(() => {
      const parent = TrustedDirectory.open(dirname(this.path), startedUid);
      try {
        // A former sidecar may have been started with other rights.
        const directory = parent.enter(basename(this.path), [uid, LOCK_USER_ID]);
        giveTo(uid, directory);
        return directory;
      } finally {
        parent.close();
      }
    });
    this.#isOverlay = statfsSync(this.#directory.place).type === OVERLAY;
  }

  #isInPlace(): boolean {
    const stats = this.#directory?.stats();
    const now = this.user.actAsStarted(() => lstatSync(this.path, { throwIfNoEntry: false }));
    return stats !== undefined && stats.ino === now?.ino && stats.dev === now.dev;
  }

  #inDirectory<T>(action: (directory: TrustedDirectory) => T): T {
    const directory = this.#directory;
    if (directory === null) throw new Error(this.#problem ?? 'it is closed');
    const { user } = this;
    const act = directory.stats().uid === user.uid ? user.act.bind(user) : user.actAsStarted.bind(user);
    return act(() => directory.do(() => action(directory)));
  }

  #fail(error: unknown): void {
    const detail = messageOf(error);
    if (detail !== this.#problem) this.emit({ type: 'failed', operation: 'state', detail });
    this.#problem = detail;
  }
}

function giveTo(uid: number, directory: TrustedDirectory): void {
  try {
    if (directory.stats().uid !== uid) chownSync(directory.place, uid, -1);
  } catch {
    // Without the right to do this it keeps its owner. If it cannot be used, the first write fails.
  }
}

/** Null if there is no such file. Follows no link. */
function readIfThere(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (!stats.isFile() || stats.size > MAX_BYTES) return '';
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** Replaces a file as a whole: after a power cut it is the old one or the new one. */
function replaceFile(directory: TrustedDirectory, name: string, text: string): void {
  const path = directory.at(name);
  const newPath = `${path}.new`;
  // One of a process that was killed, perhaps another user's.
  rmSync(newPath, { force: true });
  writeSynced(newPath, text);
  renameSync(newPath, path);
  const fd = openSync(directory.place, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeSynced(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
