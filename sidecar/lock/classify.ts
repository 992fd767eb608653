import { closeSync, constants, lstatSync, openSync, readSync } from 'node:fs';

/** The user as whom the balena Supervisor makes its lock files (balena-supervisor `src/lib/update-lock.ts`). */
export const SUPERVISOR_UID = 65534;

/** The first bytes of Helios's lock file (helios `helios-util/src/locking.rs`, `TAG`). */
export const HELIOS_TAG = Buffer.from([0x02, 0x63]);

/** Whose file is at the path of a lock file; `unknown` if it cannot be looked at. */
export type Standing = 'ours' | 'absent' | 'supervisor' | 'helios' | 'foreign' | 'unknown';

/** Identifies a file, whatever its names are. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

export function isSameFile(one: FileIdentity, other: FileIdentity): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/**
 * Tells whose file is at a path. A directory, a dangling link or a file that cannot be read is
 * `foreign`: it blocks like any other. Throws if the path cannot be looked at.
 */
export function classify(path: string, anchor: FileIdentity): Standing {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 'absent';
  if (isSameFile(stats, anchor)) return 'ours';
  if (!stats.isFile()) return 'foreign';
  if (stats.uid === SUPERVISOR_UID) return 'supervisor';
  return startsWith(path, HELIOS_TAG) ? 'helios' : 'foreign';
}

/** Whether the regular file at a path begins with these bytes; false if it cannot be read. */
export function startsWith(path: string, expected: Buffer): boolean {
  let fd: number | undefined;
  try {
    // Somebody else may put anything there meanwhile: neither follow a link nor wait for a pipe's other end.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const start = Buffer.alloc(expected.length);
    return readSync(fd, start, 0, start.length, 0) === start.length && start.equals(expected);
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
