import { execFile } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { chmod, mkdir, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NOBODY } from '../readers';

/** The locks of an app, as the one who applies updates takes them. */
export interface AppLocks {
  /** True if they are all held now, false if somebody else has one, in which case none is. */
  take(force: boolean): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * The Supervisor's way: two files in the directory of each service, one after the other, by the real `lockfile` as
 * nobody (balena-supervisor v19.0.5 `src/lib/update-lock.ts` `newLockable`, `src/lib/lockfile.ts`).
 */
export class SupervisorLocks implements AppLocks {
  #held = false;

  /** The directory of each service of the app; the sidecar's is one of them. */
  constructor(readonly directories: readonly string[]) {}

  async take(force: boolean): Promise<boolean> {
    if (this.#held) return true;
    // Files of nobody are taken for leftovers of a former run of its own: held already, and removed with the rest.
    const taken = this.directories.flatMap(leftovers);
    for (const path of this.directories.flatMap(lockFiles)) {
      if (taken.includes(path)) continue;
      await mkdir(dirname(path), { recursive: true });
      if (force) await unlock(path);
      if (!(await lock(path))) {
        await Promise.all(taken.map(unlock));
        return false;
      }
      taken.push(path);
    }
    this.#held = true;
    return true;
  }

  /** Removes everything of nobody's, as `releaseLock` and `cleanLocksForApp` do whenever a state has settled. */
  async release(): Promise<void> {
    this.#held = false;
    await Promise.all(this.directories.flatMap(leftovers).map((path) => rm(path, { force: true })));
  }
}

function lockFiles(directory: string): string[] {
  return ['updates.lock', 'resin-updates.lock'].map((name) => join(directory, name));
}

/** As `leftoverLocks`: whatever ends in `updates.lock` and belongs to nobody, in folders below too. */
function leftovers(directory: string): string[] {
  return entries(directory).flatMap((name) => {
    const path = join(directory, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (path.endsWith('updates.lock') && stats?.uid === NOBODY) return [path];
    return stats?.isDirectory() === true ? leftovers(path) : [];
  });
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** As `lockfile.lock`: true if it made the file, false if it was there (exit 73). */
async function lock(path: string): Promise<boolean> {
  await chmod(dirname(path), 0o1777);
  return new Promise((resolve, reject) => {
    // Only the uid, as there: the file's group is root's.
    execFile('lockfile', ['-r', '0', path], { uid: NOBODY }, (error, _stdout, stderr) => {
      if (error === null) resolve(true);
      else if (error.code === 73) resolve(false);
      else reject(new Error(`Got code ${String(error.code)} while trying to take lock: ${stderr}`));
    });
  });
}

/** As `lockfile.unlock`: an empty directory goes too; what cannot be removed is ignored. */
async function unlock(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch {
    await rmdir(path).catch(() => undefined);
  }
}
