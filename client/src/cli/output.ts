import { writeSync } from 'node:fs';

/**
 * Written at once and by descriptor: `process.stdout` and `process.stderr` would make a pipe that we share with COMMAND
 * non-blocking, under its feet, and take longer to load than everything else here.
 */
export function print(text: string): void {
  write(1, text);
}

/** A line for a person, on standard error. Nobody there to read it is no reason to fail. */
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
      // Somebody else has made it non-blocking, and nobody reads: there is nothing to do but wait a little.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/**
 * Names and reasons come from anybody: without what a terminal would obey rather than show, that is control characters
 * and those that turn the text around.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu, (character) => (character === '\n' || character === '\t' ? ' ' : '\uFFFD'));
}
