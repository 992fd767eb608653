import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it, as far as they are missing. `mkdirSync` with `recursive` would do, but tries for ever
 * where a directory is there and none can be made in it, as in `/proc`.
 * @throws the system's error
 */
export function makeDirectories(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || existsSync(parent)) throw error;
    makeDirectories(parent);
    makeDirectories(path);
  }
}
