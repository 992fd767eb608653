import { statSync, watch, type FSWatcher } from 'node:fs';
import { isSameFile, type FileIdentity } from './classify';

/** How often is looked while the kernel cannot tell, in milliseconds. */
const SLOW_CHECK_MS = 5000;

/** How soon after the kernel has reported something is looked what it was, in milliseconds. */
const LOOK_AFTER_MS = 10;

/**
 * Calls back when a name in the directory comes, goes or is replaced, by inotify: without polling, within
 * some ten milliseconds.
 * If the directory cannot be watched, or is itself replaced, it calls back every few seconds instead, and tries to
 * watch again each time.
 */
export class DirectoryWatch {
  #watcher: FSWatcher | undefined;
  #watched: FileIdentity | undefined;
  #slowCheck: NodeJS.Timeout | undefined;
  #problem: string | null = null;
  #isLooking = false;

  constructor(
    private readonly directory: string,
    private readonly onChange: () => void,
  ) {}

  /** Begins, or begins again in the directory that is now at the path. */
  start(): void {
    this.#stopWatching();
    try {
      this.#watched = statSync(this.directory);
      this.#watcher = watch(this.directory, { persistent: false }, () => {
        this.#onEvent();
      });
      this.#watcher.on('error', (error) => {
        this.#fallBack(error.message);
      });
      this.#problem = null;
      clearInterval(this.#slowCheck);
      this.#slowCheck = undefined;
    } catch (error) {
      this.#fallBack(error instanceof Error ? error.message : String(error));
    }
  }

  /** Why the kernel cannot tell, so that only the slow check does; null if it can. */
  problem(): string | null {
    return this.#problem;
  }

  close(): void {
    this.#stopWatching();
    clearInterval(this.#slowCheck);
    this.#slowCheck = undefined;
  }

  /** Many events come at once, our own doings among them: one look is enough for all of them. */
  #onEvent(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setTimeout(() => {
      this.#isLooking = false;
      if (this.#watcher !== undefined) this.#look();
    }, LOOK_AFTER_MS);
  }

  #look(): void {
    const now = statSync(this.directory, { throwIfNoEntry: false });
    if (now === undefined || this.#watched === undefined || !isSameFile(now, this.#watched)) {
      this.#fallBack('the lock directory was replaced');
    }
    this.onChange();
  }

  #fallBack(problem: string): void {
    this.#stopWatching();
    this.#problem = `${this.directory} cannot be watched: ${problem}; looking every ${String(SLOW_CHECK_MS / 1000)} s`;
    this.#slowCheck ??= setInterval(() => {
      this.start();
      this.onChange();
    }, SLOW_CHECK_MS);
    this.#slowCheck.unref();
  }

  #stopWatching(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
