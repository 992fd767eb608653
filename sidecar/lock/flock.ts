import { spawnSync } from 'node:child_process';

export type FlockResult =
  | { readonly kind: 'locked' }
  /** Somebody else has the lock of `fds[index]`. */
  | { readonly kind: 'conflict'; readonly index: number }
  | { readonly kind: 'failed'; readonly detail: string };

/** The descriptor at which a child finds the first file that it is given. */
export const FIRST_FD = 3;

const MISSING_STATUS = 127;

/** Exits with 0, or with the number of the first descriptor that is locked elsewhere; other failures are on its stderr. */
const SCRIPT = `command -v flock >/dev/null || exit ${String(MISSING_STATUS)}
for fd in "$@"; do flock -n -x "$fd" || exit "$fd"; done`;

/**
 * Takes `flock(2)` on open files without an addon: it belongs to the open file description, which a child process
 * shares, so `flock -n -x N` in a child locks descriptor N for us, until we and all processes that inherit it have closed it.
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
