import { statSync, watch, type FSWatcher } from 'node:fs';
import { messageOf } from '../../server/text';
import { isSameFile, type FileIdentity } from './classify';
import type { LockUser } from './lock-user';

/** How often we look while the kernel cannot tell us of changes, in milliseconds. */
const SLOW_CHECK_MS = 5000;

/** How long after a report of the kernel we look, in milliseconds. */
const LOOK_AFTER_MS = 10;

/**
 * Calls back when a name in one of the directories comes, goes or is replaced, by inotify: without polling, within some
 * ten milliseconds. If a directory cannot be watched, it calls back every few seconds instead, and tries to watch again
 * each time.
 */
export class LockWatch {
  readonly #directories: readonly DirectoryWatch[];
  #lookTimer: NodeJS.Timeout | undefined;
  #slowCheck: NodeJS.Timeout | undefined;

  constructor(
    directories: readonly string[],
    user: Pick<LockUser, 'actAsStarted'>,
    private readonly onChange: () => void,
  ) {
    this.#directories = directories.map((directory) => new DirectoryWatch(directory, user, () => { this.#lookSoon(); }));
    this.#adjust();
  }

  /** A directory that was opened again may be another one: one above it may have been moved, of which the kernel does not tell. */
  onEvent({ type }: { readonly type: string }): void {
    if (type === 'store-opened') this.#lookSoon();
  }

  /** Why the kernel cannot tell, so that only the slow check does; null if it can. */
  problem(): string | null {
    const problem = this.#directories.map((directory) => directory.problem).find((each) => each !== null);
    return problem === undefined ? null : `${problem}; looking every ${String(SLOW_CHECK_MS / 1000)} s instead`;
  }

  close(): void {
    clearTimeout(this.#lookTimer);
    clearInterval(this.#slowCheck);
    for (const directory of this.#directories) directory.close();
  }

  /** Many events come at once, also of our own changes: one look is enough for all of them. */
  #lookSoon(): void {
    this.#lookTimer ??= setTimeout(() => {
      this.#lookTimer = undefined;
      this.#look();
    }, LOOK_AFTER_MS);
  }

  #look(): void {
    // Nobody tells us of changes in a new directory before it was watched.
    do this.onChange();
    while (this.#watchReplaced());
    this.#adjust();
  }

  /** Whether a directory is watched now that was not before. */
  #watchReplaced(): boolean {
    return this.#directories.map((directory) => directory.startAgainIfReplaced()).includes(true);
  }

  #adjust(): void {
    if (this.problem() === null) {
      clearInterval(this.#slowCheck);
      this.#slowCheck = undefined;
    } else {
      this.#slowCheck ??= setInterval(() => {
        this.#look();
      }, SLOW_CHECK_MS).unref();
    }
  }
}

/** Watches the directory at a path, even if it is replaced. */
class DirectoryWatch {
  problem: string | null = null;
  #watcher: FSWatcher | undefined;
  #watched: FileIdentity | undefined;

  constructor(
    private readonly directory: string,
    private readonly user: Pick<LockUser, 'actAsStarted'>,
    private readonly onEvent: () => void,
  ) {
    this.start();
  }

  start(): void {
    this.close();
    try {
      this.#watched = this.#identify();
      this.#watcher = this.user.actAsStarted(() => watch(this.directory, { persistent: false }, this.onEvent));
      this.#watcher.on('error', (error) => {
        this.#fail(error);
        this.onEvent();
      });
      this.problem = null;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Returns whether it is watched now and was not before. */
  startAgainIfReplaced(): boolean {
    try {
      const isReplaced = this.#watched === undefined || !isSameFile(this.#identify(), this.#watched);
      if (!isReplaced && this.#watcher !== undefined) return false;
      this.start();
      return this.problem === null;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #identify(): FileIdentity {
    try {
      return statSync(this.directory);
    } catch {
      // A directory above may be closed to the lock's user. Not asked as another user at first: at every look, that would cost.
      return this.user.actAsStarted(() => statSync(this.directory));
    }
  }

  #fail(error: unknown): void {
    this.close();
    this.problem = `${this.directory} cannot be watched: ${messageOf(error)}`;
  }
}
