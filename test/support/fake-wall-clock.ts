import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The wall clock of a process, set as one likes and moving on from there; its monotonic clock is the machine's. By libfaketime. */
export class FakeWallClock {
  readonly #file: string;

  /** @param at `YYYY-MM-DD HH:MM:SS` in UTC */
  constructor(folder: string, at: string) {
    this.#file = join(folder, 'wall-clock');
    this.set(at);
  }

  get environment(): Readonly<Record<string, string>> {
    // The command knows where its library is.
    const LD_PRELOAD = execFileSync('faketime', ['now', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' }).trim();
    return { LD_PRELOAD, FAKETIME_TIMESTAMP_FILE: this.#file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', TZ: 'UTC' };
  }

  /** Stands still at that time. */
  set(at: string): void {
    // As one step: the process may look at any moment.
    writeFileSync(`${this.#file}.new`, at);
    renameSync(`${this.#file}.new`, this.#file);
  }
}
