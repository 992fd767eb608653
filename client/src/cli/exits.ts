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
