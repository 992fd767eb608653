import { renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Sidecar } from './sidecar';
import { until } from './until';

const PRELOAD = resolve(__dirname, 'clock-ahead.cjs');

/** How long a sidecar has to do what is due after a jump, before the next one. Milliseconds. */
const JUMPS_APART_MS = 5000;

/** The monotonic clock of a sidecar, which jumps ahead with its timers as the test says. A sidecar that is started again on the folder goes on with it. */
export class MovedClock {
  readonly #file: string;
  #aheadMs = 0;

  constructor(folder: string) {
    this.#file = join(folder, 'moved-clock');
    this.#write();
  }

  get environment(): Readonly<Record<string, string>> {
    return { NODE_OPTIONS: `--require ${PRELOAD}`, MOVED_CLOCK_FILE: this.#file };
  }

  jump(sidecar: Sidecar, minutes: number): void {
    this.#aheadMs += minutes * 60_000;
    this.#write();
    sidecar.process.kill('SIGUSR2');
  }

  /** Jumps until that is so: what has to last for a time may not have begun at the first jump. */
  async jumpUntil(sidecar: Sidecar, minutes: number, isSo: () => boolean | Promise<boolean>, withinMs = 40_000): Promise<void> {
    const startedAtMs = Date.now();
    for (;;) {
      this.jump(sidecar, minutes);
      try {
        await until(isSo, JUMPS_APART_MS);
        return;
      } catch (error) {
        if (Date.now() - startedAtMs > withinMs) throw error;
      }
    }
  }

  #write(): void {
    writeFileSync(`${this.#file}.new`, String(this.#aheadMs));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
