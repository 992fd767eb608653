import { closeSync } from 'node:fs';
import { constants } from 'node:os';

/** Exit statuses: 64 to 78 as in sysexits(3), the others as in a shell. */
export const EXIT = {
  ok: 0,
  heldBack: 1,
  usage: 64,
  unreachable: 69,
  internal: 70,
  unavailable: 75,
  notAllowed: 77,
  cannotRun: 126,
  notFound: 127,
} as const;

/** The exit status that a shell reports for a command that a signal has ended. */
export function exitOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/**
 * Exits without changing the terminal: unless the descriptors are closed, Node.js restores the modes that it found at its start, even
 * if COMMAND has set others.
 */
export function exitAs(exit: number): never {
  for (const fd of [0, 1, 2]) {
    try {
      closeSync(fd);
    } catch {
      // It was closed already.
    }
  }
  process.exit(exit);
}
