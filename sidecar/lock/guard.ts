import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isSameFile, type FileIdentity } from './classify';
import { FIRST_FD } from './flock';

/** As long as every `sleep` takes: 68 years. */
const COMMAND = ['sleep', '2147483647'] as const;

/** A guard that ends by itself is replaced after this long, in milliseconds. */
const REPLACE_AFTER_MS = 1000;

/**
 * A process that does nothing but keep a file open, and so its flock, if we are killed: otherwise the host could reboot
 * between our death and our return. It is replaced if it ends.
 */
export class Guard {
  #pid: number | undefined;
  #isWanted = true;

  constructor(private readonly fd: number) {
    this.#spawn();
  }

  /** Ends it, unless it is to outlive us. */
  release(keep: boolean): void {
    this.#isWanted = false;
    if (!keep && this.#pid !== undefined) endGuard(this.#pid);
  }

  #spawn(): void {
    try {
      const child = spawn(COMMAND[0], COMMAND.slice(1), {
        stdio: ['ignore', 'ignore', 'ignore', this.fd],
        cwd: '/',
        detached: true,
      });
      child.unref();
      child.once('error', () => {
        this.#replace();
      });
      child.once('exit', () => {
        this.#replace();
      });
      this.#pid = child.pid;
    } catch {
      // No memory or no processes left. The flock is there all the same, as long as we are.
      this.#replace();
    }
  }

  #replace(): void {
    this.#pid = undefined;
    setTimeout(() => {
      if (this.#isWanted) this.#spawn();
    }, REPLACE_AFTER_MS).unref();
  }
}

/** The guards that a sidecar which was killed has left to keep the flock of this file. */
export function findGuards(anchor: FileIdentity): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isGuardOf(pid, anchor));
}

/** Whether that process is a guard of this file. Cannot be fooled by a pid that was used again. */
export function isGuardOf(pid: number, anchor: FileIdentity): boolean {
  try {
    if (readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1') !== `${COMMAND.join('\0')}\0`) return false;
    return isSameFile(statSync(`/proc/${String(pid)}/fd/${String(FIRST_FD)}`), anchor);
  } catch {
    // No such process or descriptor, or not ours to look at.
    return false;
  }
}

/** Ends a guard; its flock is free as soon as the kernel has closed its files. */
export function endGuard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
