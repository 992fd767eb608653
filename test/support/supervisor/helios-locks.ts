import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AppLocks } from './locks';

const TAG = Buffer.from([0x02, 0x63]);

/**
 * Helios's way, as root: one file in each directory, made under another name, flocked, and then linked into place or, by
 * force, renamed over the name (balena-io/helios v0.26.2 `helios-util/src/locking.rs` `LockFile::create`, `LockSet`). It
 * has mode 0600 (`helios-util/src/fs.rs` `safe_create_tempfile`), so that only root can see its first two bytes.
 */
export class HeliosLocks implements AppLocks {
  /** The descriptors that carry the flocks, by path. */
  readonly #held = new Map<string, number>();

  constructor(readonly directories: readonly string[]) {}

  take(force: boolean): Promise<boolean> {
    const taken: string[] = [];
    for (const path of this.directories.map((directory) => join(directory, 'updates.lock'))) {
      if (this.#held.has(path)) continue;
      const fd = createLockFile(path, force);
      if (fd === 'would-block') {
        this.#remove(taken);
        return Promise.resolve(false);
      }
      this.#held.set(path, fd);
      taken.push(path);
    }
    return Promise.resolve(true);
  }

  release(): Promise<void> {
    this.#remove([...this.#held.keys()]);
    return Promise.resolve();
  }

  /** As if it were killed: the files stay, and nobody has their flock. */
  crash(): void {
    for (const fd of this.#held.values()) closeSync(fd);
    this.#held.clear();
  }

  #remove(paths: readonly string[]): void {
    for (const path of paths) {
      const fd = this.#held.get(path);
      this.#held.delete(path);
      rmSync(path, { force: true });
      if (fd !== undefined) closeSync(fd);
    }
  }
}

function createLockFile(path: string, force: boolean): number | 'would-block' {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true });
  const before = attach(path);
  if (typeof before === 'number') return before;
  if (before === 'ours' || (before === 'theirs' && !force)) return 'would-block';

  const temporary = join(directory, `tmp-${randomUUID().replaceAll('-', '')}.lock`);
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(fd, TAG);
    fsyncSync(fd);
    if (!flock(fd)) throw new Error('a new file is flocked already');
    if (force) renameSync(temporary, path);
    else linkSync(temporary, path);
    return fd;
  } catch (error) {
    closeSync(fd);
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Somebody came first: look at what is there now.
    const after = attach(path);
    return typeof after === 'number' ? after : 'would-block';
  } finally {
    try {
      unlinkSync(temporary);
    } catch {
      // Renamed.
    }
  }
}

/** As `try_attach`: a descriptor if it is a file of Helios's that nobody holds. A directory there is an error, not a lock. */
function attach(path: string): number | 'ours' | 'theirs' | 'none' {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    throw error;
  }
  let keep = false;
  try {
    const start = Buffer.alloc(TAG.length);
    if (readSync(fd, start, 0, TAG.length, null) !== TAG.length || !start.equals(TAG)) return 'theirs';
    keep = flock(fd);
    return keep ? fd : 'ours';
  } finally {
    if (!keep) closeSync(fd);
  }
}

/** flock(2) belongs to the open file, so a child takes it for us. */
function flock(fd: number): boolean {
  return spawnSync('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] }).status === 0;
}
