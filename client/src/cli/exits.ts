import { closeSync } from 'node:fs';
import { constants } from 'node:os';

/** What the command exits with; 64 to 78 as in sysexits(3), the others as in a shell. */
export const EXIT = {
  ok: 0,
  usage: 64,
  unreachable: 69,
  internal: 70,
  unavailable: 75,
  notAllowed: 77,
  cannotRun: 126,
  notFound: 127,
} as const;

/** The exit of a shell for a command that a signal has ended. */
export function exitOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

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
