import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARY = 'faketime/libfaketime.so.1';
const SHARED_MEMORY = '/dev/shm';
const LEFT_OVER = /^(?:sem\.faketime_sem|faketime_shm)_(?<pid>\d+)$/;

/** The wall clock of a process, set as one likes and moving on from there; its monotonic clock is the machine's. By libfaketime. */
export class FakeWallClock {
  readonly #file: string;

  /** @param at `YYYY-MM-DD HH:MM:SS` in UTC */
  constructor(folder: string, at: string) {
    this.#file = join(folder, 'wall-clock');
    this.set(at);
  }

  /** For one process to start with. */
  get environment(): Readonly<Record<string, string>> {
    removeLeftOvers();
    return { LD_PRELOAD: library(), FAKETIME_TIMESTAMP_FILE: this.#file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', TZ: 'UTC' };
  }

  /** Stands still at that time. */
  set(at: string): void {
    // As one step: the process may look at any moment.
    writeFileSync(`${this.#file}.new`, at);
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function library(): string {
  const folders = ['/usr/lib', ...readdirSync('/usr/lib').map((name) => join('/usr/lib', name)), '/usr/local/lib'];
  const found = folders.map((folder) => join(folder, LIBRARY)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`There is no ${LIBRARY} in ${folders.join(', ')}: install faketime`);
  return found;
}

/** A killed process leaves what libfaketime named after it, and the next one of that number would fail over it. */
export function removeLeftOvers(): void {
  for (const name of readdirSync(SHARED_MEMORY)) {
    const pid = LEFT_OVER.exec(name)?.groups?.['pid'];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(SHARED_MEMORY, name), { force: true });
  }
}
