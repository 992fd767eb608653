import { spawnSync } from 'node:child_process';
import { closeSync, constants, linkSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The programs that read the lock, by what they really run. */

/** The user as whom the balena Supervisor makes its locks. */
export const NOBODY = 65534;

/** Of the `tempfile` crate, by which Helios makes its file: nobody but root may read it. */
const HELIOS_MODE = { mode: 0o600 };

/** As the Supervisor (balena-supervisor `src/lib/lockfile.ts`): procmail's `lockfile` as nobody. True if it got the lock. */
export function supervisorLocks(path: string): boolean {
  const { status, stderr } = spawnSync('lockfile', ['-r', '0', path], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' });
  if (status !== 0 && status !== 73) throw new Error(`lockfile exited ${String(status)}: ${stderr}`);
  return status === 0;
}

/** By force the Supervisor unlinks each file and then runs `lockfile` (same, `src/lib/update-lock.ts`). */
export function supervisorForces(paths: readonly string[]): boolean[] {
  return paths.map((path) => {
    try {
      unlinkSync(path);
    } catch {
      // It ignores what it cannot unlink.
    }
    return supervisorLocks(path);
  });
}

export function supervisorUnlocks(paths: readonly string[]): void {
  for (const path of paths) unlinkSync(path);
}

/** As Helios by force (helios `helios-util/src/locking.rs`): a file of its own, renamed over the name. */
export function heliosForces(path: string): void {
  renameSync(makeHeliosFile(path), path);
}

/** As Helios without force: linked into place. */
export function heliosLocks(path: string): void {
  const temporary = makeHeliosFile(path);
  linkSync(temporary, path);
  unlinkSync(temporary);
}

/** A file that this process has flocked, and keeps open. */
function makeHeliosFile(path: string): string {
  const temporary = join(dirname(path), 'tmp-test.lock');
  writeFileSync(temporary, Buffer.from([0x02, 0x63]), HELIOS_MODE);
  if (!flocks(openSync(temporary, constants.O_RDONLY))) throw new Error(`${temporary} is flocked already`);
  return temporary;
}

/** Takes the flock of an open file, as long as that stays open. False if somebody else has it. */
function flocks(fd: number): boolean {
  return spawnSync('flock', ['-nx', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] }).status === 0;
}

/** As the host OS before a reboot (meta-balena `safe_reboot`): whether the lock would hold it back. Absent: no. */
export function holdsBackHost(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY);
  } catch {
    return false;
  }
  const isHeldBack = !flocks(fd);
  closeSync(fd);
  return isHeldBack;
}
