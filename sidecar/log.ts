import { createLogger, format, transports, type Logger } from 'winston';
import type { Config } from './config';
import type { KeeperEvent } from './keeper/events';
import { formatDuration } from './leases/duration';
import type { Lease } from './leases/lease';

export type { Logger } from 'winston';

/** One line an event on standard output: JSON for machines, or text for a person at a terminal. */
export function createLog({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  const lines = logFormat === 'json' ? format.json({ deterministic: false }) : format.printf(toPrettyLine);
  return createLogger({
    level: logLevel,
    format: format.combine(format.timestamp(), lines),
    transports: [new transports.Console()],
  });
}

function toPrettyLine({ timestamp, level, message, ...fields }: Record<string, unknown>): string {
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `${String(timestamp)} ${level === 'info' ? '' : `${String(level)}: `}${String(message)}${rest.join('')}`;
}

/** Writes down what happens, in the words of the interface. What comes with every request is for `debug` only. */
export function logEvent(log: Logger, event: KeeperEvent): void {
  switch (event.type) {
    case 'lease-acquired':
      log.info(event.recovered ? 'lease recovered' : 'lease acquired', describeLease(event.lease));
      return;
    case 'lease-renewed':
      log.debug('lease renewed', describeLease(event.lease));
      return;
    case 'lease-ended': {
      const { reason, atMs } = event.lease.ended;
      const lasted = formatDuration(atMs - event.lease.sinceMs);
      log.log(reason === 'lost' ? 'warn' : 'info', 'lease ended', { ...describeLease(event.lease), ended: reason, lasted });
      return;
    }
    case 'lock-taken':
      log.info(event.recovered ? 'lock recovered: updates are held back' : 'lock taken: updates are held back');
      return;
    case 'lock-released':
      if (event.lost) log.warn('lock gone', { held: formatDuration(event.heldMs) });
      else log.info('lock released: updates are possible', { held: formatDuration(event.heldMs) });
      return;
    case 'lock-lost':
      log.warn('lock lost: it was taken away from outside', { cause: event.cause, holders: event.holders });
      return;
    case 'refused':
      log.info('lease refused', { name: event.name, code: event.refusal.code, detail: event.refusal.detail });
      return;
    case 'failed':
      log.error('operation failed', { operation: event.operation, detail: event.detail });
  }
}

function describeLease({ name, reason, kind, ttlMs, peer }: Lease): Record<string, string> {
  return { name, reason, kind, ...(ttlMs === null ? {} : { ttl: formatDuration(ttlMs) }), peer };
}
