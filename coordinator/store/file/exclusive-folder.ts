import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** `flock` of util-linux and of busybox exits so if another process has the lock. */
const EXIT_LOCKED = 1;

/** The descriptor of the lock file in the child. */
const CHILD_FD = 3;

/**
 * Makes a folder if it is missing, and takes it for this process until that ends, however it ends. flock(2) belongs to the open file, so a
 * child that locks the descriptor it was given locks it for us.
 * @returns the descriptor to close; null if another process has the folder
 */
export function takeFolder(path: string): number | null {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const fd = openSync(join(path, 'lock'), 'a', 0o600);
  const { status, error, stderr } = spawnSync('flock', ['-n', '-x', String(CHILD_FD)], { stdio: ['ignore', 'ignore', 'pipe', fd], encoding: 'utf8' });
  if (status === 0) return fd;
  closeSync(fd);
  if (status === EXIT_LOCKED) return null;
  throw error ?? new Error(`flock failed: ${stderr.trim()}`);
}
