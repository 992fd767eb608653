import { isatty } from 'node:tty';

export function isTerminal(fd: 0 | 1 | 2): boolean {
  return isatty(fd);
}

/** Colour is only for terminals, unless the user does not want any (https://no-color.org). */
export function wantsColour(): boolean {
  return isTerminal(1) && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
}

/** Whether the terminal can clear the screen. */
export function canRedraw(): boolean {
  return isTerminal(1) && process.env['TERM'] !== undefined && process.env['TERM'] !== 'dumb';
}
