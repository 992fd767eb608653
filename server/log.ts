import { Writable } from 'node:stream';
import { createLogger, format, transports, type Logger } from 'winston';
import { printable } from './text';

export type { Logger } from 'winston';

/** How many bytes may wait in memory until standard output is read, beside those that the kernel keeps. */
const MAX_WAITING_BYTES = 256 * 1024;

type Line = Record<string, unknown>;

/** A log on standard output, one line an entry, written at once: JSON for machines, or text for people at a terminal. */
export function createLog({ logLevel, logFormat }: { readonly logLevel: string; readonly logFormat: 'json' | 'pretty' }): Logger {
  // The process must go on when its output is not read any more.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const toText = logFormat === 'json' ? toJsonLine : toPrettyLine;
  return createLogger({
    level: logLevel,
    format: format.printf(toText),
    transports: [new transports.Stream({ stream: boundedOutput(toText) })],
  });
}

/**
 * Standard output passes a line to the kernel at once. If nobody reads them, lines wait in memory, so beyond the bound they are dropped
 * and counted: the process must not depend on a reader of its log.
 */
function boundedOutput(toText: (line: Line) => string): Writable {
  let dropped = 0;
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      if (process.stdout.writableLength > MAX_WAITING_BYTES) {
        dropped += 1;
      } else {
        if (dropped > 0) process.stdout.write(`${toText({ level: 'warn', message: 'log lines dropped: nobody read them', lines: dropped })}\n`);
        dropped = 0;
        process.stdout.write(text);
      }
      done();
    },
  });
}

function toJsonLine({ level, message, time = new Date(), ...fields }: Line): string {
  return JSON.stringify({ time, level, message, ...fields });
}

function toPrettyLine({ level, message, time = new Date(), ...fields }: Line): string {
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return printable(`${(time as Date).toISOString()} ${level === 'info' ? '' : `${String(level)}: `}${String(message)}${rest.join('')}`);
}
