import { writeSync } from 'node:fs';

/**
 * Writes at once, by descriptor: `process.stdout` and `process.stderr` would make a pipe that we share with COMMAND non-blocking, and take
 * longer to load than everything else here.
 */
export function print(text: string): void {
  write(1, text);
}

/** Prints a line for people on standard error. It does not fail if the reader has gone. */
export function tell(message: string): void {
  try {
    write(2, `update-lock: ${message}\n`);
  } catch {
    // Closed.
  }
}

function write(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      // Another process has made it non-blocking, and it is full: wait a little.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/**
 * Names and reasons come from any client: replaces the characters that a terminal would obey instead of show, which are control
 * characters and marks that change the direction of text.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu, (character) => (character === '\n' || character === '\t' ? ' ' : '\uFFFD'));
}
