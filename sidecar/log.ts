import { createLogger, format, transports, type Logger } from 'winston';
import type { Config } from './config';
import { describe } from './events/descriptions';
import type { SidecarEvent } from './events/event';

export type { Logger } from 'winston';

/** One line an event on standard output: JSON for machines, or text for a person at a terminal. */
export function createLog({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  // Whoever read our output may go away; the lock stays, and so do we.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return createLogger({
    level: logLevel,
    format: format.printf(logFormat === 'json' ? toJsonLine : toPrettyLine),
    transports: [new transports.Console()],
  });
}

function toJsonLine({ level, message, ...fields }: Record<string, unknown>): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
}

function toPrettyLine({ level, message, ...fields }: Record<string, unknown>): string {
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `${new Date().toISOString()} ${level === 'info' ? '' : `${String(level)}: `}${String(message)}${rest.join('')}`;
}

/** Writes down what happens. */
export class EventLog {
  constructor(
    private readonly log: Logger,
    private readonly leaseCount: () => number,
  ) {}

  onEvent(event: SidecarEvent): void {
    const description = describe(event);
    if (description === null || !this.log.isLevelEnabled(description.level)) return;
    this.log.log(description.level, description.message, description.fields);
  }

  close(): void {
    this.log.info('stopped', { leases: this.leaseCount() });
  }
}
