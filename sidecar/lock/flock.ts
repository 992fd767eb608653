import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isSameFile, type FileIdentity } from './classify';

export type FlockResult =
  | { readonly kind: 'locked' }
  /** Somebody else has the lock of `fds[index]`. */
  | { readonly kind: 'conflict'; readonly index: number }
  | { readonly kind: 'failed'; readonly detail: string };

const FIRST_FD = 3;
const MISSING_STATUS = 127;

/** As long as every `sleep` takes: 68 years. */
const GUARD_COMMAND = ['sleep', '2147483647'] as const;

/** Exits 0, or with the number of the first descriptor that is locked elsewhere; what went wrong is on its stderr. */
const SCRIPT = `command -v flock >/dev/null || exit ${String(MISSING_STATUS)}
for fd in "$@"; do flock -n -x "$fd" || exit "$fd"; done`;

/**
 * Takes `flock(2)` on open files without an addon: it belongs to the open file description, which a child process
 * shares, so `flock -n -x N` in a child locks descriptor N for us, until we and whoever inherits it have closed it.
 */
export function flock(fds: readonly number[]): FlockResult {
  const numbers = fds.map((_, index) => String(FIRST_FD + index));
  const child = spawnSync('sh', ['-c', SCRIPT, 'sh', ...numbers], {
    stdio: ['ignore', 'ignore', 'pipe', ...fds],
    encoding: 'utf8',
    timeout: 5000,
  });
  if (child.error !== undefined) return { kind: 'failed', detail: `flock cannot be run: ${child.error.message}` };
  if (child.status === 0) return { kind: 'locked' };
  if (child.status === MISSING_STATUS) {
    return { kind: 'failed', detail: 'the command flock (util-linux or busybox) is not installed' };
  }
  const said = child.stderr.trim();
  if (said === '' && child.status !== null) return { kind: 'conflict', index: child.status - FIRST_FD };
  return { kind: 'failed', detail: said === '' ? `flock was ended by ${String(child.signal)}` : said };
}

/**
 * Leaves a process behind that does nothing but keep these descriptors open, and so their flock, if we are killed:
 * otherwise the host could reboot between our death and our return.
 */
export function spawnGuard(fds: readonly number[]): ChildProcess {
  const guard = spawn(GUARD_COMMAND[0], GUARD_COMMAND.slice(1), {
    stdio: ['ignore', 'ignore', 'ignore', ...fds],
    cwd: '/',
    detached: true,
  });
  guard.on('error', () => undefined);
  guard.unref();
  return guard;
}

/** The guards that a sidecar which was killed has left to keep the flock of this file. */
export function findGuards(anchor: FileIdentity): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && isGuardOf(pid, anchor));
}

/** Whether that process has the file open where a guard has it. Cannot be fooled by a pid that was used again. */
export function isGuardOf(pid: number, anchor: FileIdentity): boolean {
  for (const fd of [FIRST_FD, FIRST_FD + 1]) {
    try {
      if (readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1') !== `${GUARD_COMMAND.join('\0')}\0`) return false;
      const stats = statSync(`/proc/${String(pid)}/fd/${String(fd)}`);
      if (isSameFile(stats, anchor)) return true;
    } catch {
      // No such process or descriptor, or not ours to look at.
    }
  }
  return false;
}

/** Ends a guard; its flock is free as soon as the kernel has closed its files. */
export function endGuard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
