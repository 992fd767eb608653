import { closeSync } from 'node:fs';

/**
 * Exits without touching the terminal again: Node.js puts back the modes that it found at its start, whatever COMMAND
 * has set, unless the descriptors are closed.
 */
export function exitAs(exit: number): never {
  for (const fd of [0, 1, 2]) {
    try {
      closeSync(fd);
    } catch {
      // It was closed before.
    }
  }
  process.exit(exit);
}
