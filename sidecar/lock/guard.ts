import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isSameFile, type FileIdentity } from './classify';
import { FIRST_FD } from './flock';
import { LOCK_USER_ID, type LockUser } from './lock-user';

/**
 * Sleeps until its standard input ends because the sidecar has died, and then for as long as the file has another name than that
 * of the anchor: without one the lock is not on disk. If the names cannot be counted, it stays.
 */
const SCRIPT = `read -r _
while [ "$(stat -L -c %h /proc/self/fd/${String(FIRST_FD)} || echo 2)" -gt 1 ]; do (exec sleep 15 ${String(FIRST_FD)}<&-) || exit; done`;

/** A guard of version 0.1. */
const FORMER_COMMAND = ['sleep', '2147483647'] as const;

/** How long after its end a guard is replaced, in milliseconds. */
const REPLACE_AFTER_MS = 1000;

/** The command line names the file: the next process may not be allowed to see the guard's open files. */
function commandOf({ dev, ino }: FileIdentity): string[] {
  return ['/bin/sh', '-c', SCRIPT, 'update-lock-guard', `${String(dev)}:${String(ino)}`];
}

/**
 * A process that does nothing but keep a file open, and so its flock, if we are killed: otherwise the host could reboot
 * between our death and our return. It is replaced if it ends.
 */
export class Guard {
  #child: ChildProcess | undefined;
  #isWanted = true;

  constructor(
    private readonly file: FileIdentity & { readonly fd: number },
    private readonly user: LockUser,
  ) {
    this.#spawn();
  }

  /** Ends the guard, unless it is to outlive us. */
  release(keep: boolean): void {
    this.#isWanted = false;
    if (keep) return;
    if (this.#child?.pid !== undefined) endGuard(this.#child.pid, this.user);
    this.#child?.stdin?.destroy();
  }

  #spawn(): void {
    const [command = '', ...args] = commandOf(this.file);
    try {
      const child = this.user.actAsStarted(() =>
        spawn(command, args, {
          stdio: ['pipe', 'ignore', 'ignore', this.file.fd],
          cwd: '/',
          env: {},
          detached: true,
          ...this.user.ids,
        }),
      );
      child.unref();
      child.once('error', () => {
        this.#replace();
      });
      child.once('exit', () => {
        this.#replace();
      });
      this.#child = child;
    } catch {
      // No memory or no processes left. The flock is there all the same, as long as we are.
      this.#replace();
    }
  }

  #replace(): void {
    this.#child?.stdin?.destroy();
    this.#child = undefined;
    setTimeout(() => {
      if (this.#isWanted) this.#spawn();
    }, REPLACE_AFTER_MS).unref();
  }
}

/** The guards that a sidecar which was killed has left to keep the flock of this file. */
export function findGuards(file: FileIdentity, user: LockUser): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isGuardOf(pid, file, user));
}

/** Whether that process is a guard of this file. Cannot be fooled by a pid that was used again, or by another user. */
export function isGuardOf(pid: number, file: FileIdentity, user: LockUser): boolean {
  const process = `/proc/${String(pid)}`;
  try {
    const command = readFileSync(`${process}/cmdline`, 'latin1');
    const { uid } = statSync(process);
    if (![LOCK_USER_ID, user.startedUid].includes(uid)) return false;
    if (command === asCommandLine(commandOf(file))) return true;
    if (command !== asCommandLine(FORMER_COMMAND)) return false;
    return isSameFile(user.actAsStarted(() => statSync(`${process}/fd/${String(FIRST_FD)}`)), file);
  } catch {
    // No such process or descriptor, or not ours to look at.
    return false;
  }
}

function asCommandLine(command: readonly string[]): string {
  return command.map((part) => `${part}\0`).join('');
}

/** Ends a guard, and what it has started; its flock is free as soon as the kernel has closed its files. */
export function endGuard(pid: number, user: LockUser): void {
  const end = (): boolean => process.kill(-pid, 'SIGKILL');
  try {
    user.act(end);
  } catch {
    try {
      user.actAsStarted(end);
    } catch {
      // It has ended by itself.
    }
  }
}
