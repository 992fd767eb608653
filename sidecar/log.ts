import { createLogger, format, transports, type Logger } from 'winston';
import type { Config } from './config';
import type { SidecarEvent } from './event-feed';
import { formatDuration } from './leases/duration';
import type { Lease } from './leases/lease';
import type { DeadlineEvent } from './gates/deadline';
import type { ProbeEvent } from './holders/probes/probe';
import type { UpdateEvent } from './supervisor/events';

export type { Logger } from 'winston';

/** How much later than it happened an event may be written down: no answer has to wait for its line in the log. */
const FLUSH_AFTER_MS = 10;

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

/** What comes with every request, and would drown what an operator wants to know. */
const FOR_DEBUG: ReadonlySet<SidecarEvent['type']> = new Set([
  'lease-renewed',
  'lock-released',
  'request-waits',
  'request-dropped',
  'probe-asked',
] as const);

/** Writes down what happens, in the words of the interface. */
export class EventLog {
  readonly #isDebug: boolean;
  #pending: SidecarEvent[] = [];

  constructor(private readonly log: Logger) {
    // winston formats a line before it asks whether anybody wants it.
    this.#isDebug = log.isLevelEnabled('debug');
  }

  /** Takes an event in, to be written soon. */
  readonly onEvent = (event: SidecarEvent): void => {
    if (!this.#isDebug && FOR_DEBUG.has(event.type)) return;
    if (this.#pending.push(event) > 1) return;
    setTimeout(() => {
      this.flush();
    }, FLUSH_AFTER_MS);
  };

  /** Writes what has been taken in. */
  flush(): void {
    const events = this.#pending;
    this.#pending = [];
    for (const event of events) this.#write(event);
  }

  #write(event: SidecarEvent): void {
    switch (event.type) {
      case 'lease-acquired':
        this.log.info(event.recovered ? 'lease recovered' : 'lease acquired', describeLease(event.lease, { lock: event.lock }));
        return;
      case 'lease-renewed':
        this.log.debug('lease renewed', describeLease(event.lease, {}));
        return;
      case 'request-waits':
        this.log.debug('request waits', { name: event.name, code: event.refusal.code });
        return;
      case 'request-dropped':
        this.log.debug('request dropped: its client has gone', { name: event.name });
        return;
      case 'lease-ended': {
        const { reason, atMs } = event.lease.ended;
        const lasted = formatDuration(atMs - event.lease.sinceMs);
        const end = { ended: reason, lasted, lock: event.lock };
        this.log.log(reason === 'lost' ? 'warn' : 'info', 'lease ended', describeLease(event.lease, end));
        return;
      }
      case 'lock-lost':
        this.log.warn('lock lost: it was taken away from outside', { cause: event.cause, holders: event.holders });
        return;
      case 'refused':
        this.log.info('lease refused', { name: event.name, code: event.refusal.code, detail: event.refusal.detail });
        return;
      case 'failed':
        this.log.error('operation failed', { operation: event.operation, detail: event.detail });
        return;
      case 'lock-released':
        this.log.debug('lock released', { held: formatDuration(event.heldMs) });
        return;
      case 'window-turned':
        if (event.reason === null) this.log.info('updates are allowed by the clock');
        else this.log.info('updates are not allowed by the clock', { detail: event.reason });
        return;
      case 'probe-turned':
      case 'probe-missed':
      case 'probe-reached':
      case 'probe-asked':
        this.#writeProbe(event);
        return;
      default:
        this.#writeUpdate(event);
    }
  }

  #writeProbe(event: ProbeEvent): void {
    const { probe } = event;
    switch (event.type) {
      case 'probe-turned':
        this.log.info(event.isBusy ? 'probe says busy' : 'probe says free', { probe });
        return;
      case 'probe-missed':
        this.log.warn('probe cannot be asked', { probe, detail: event.problem });
        return;
      case 'probe-reached':
        this.log.info('probe can be asked again', { probe });
        return;
      case 'probe-asked':
        this.log.debug('probe asked', { probe, result: event.result });
    }
  }

  #writeUpdate(event: UpdateEvent | DeadlineEvent): void {
    switch (event.type) {
      case 'update-changed':
        if (event.turn !== null) this.log.info(event.turn === 'waits' ? 'update waits' : 'update does not wait any more');
        return;
      case 'supervisor-missed':
        this.log.warn('Supervisor cannot be reached', { detail: event.problem });
        return;
      case 'supervisor-reached':
        this.log.info('Supervisor can be reached again');
        return;
      case 'update-requested': {
        const { kind, result, detail } = event;
        this.log.log(result === 'accepted' ? 'info' : 'warn', 'update requested', { kind, result, detail });
        return;
      }
      case 'update-refused':
        this.log.warn('update request refused', { peer: event.peer, code: 'supervisor-unavailable', detail: event.problem });
        return;
      case 'update-forced':
        this.log.warn('update is being forced: the lock will be lost', { peer: event.peer, holders: event.holders });
        return;
      case 'deadline-nears': {
        const waited = formatDuration(Math.round(event.waitedMs / 1000) * 1000);
        this.log.warn('an update has been waiting for long', { waited, holders: event.holders });
        return;
      }
      case 'draining':
        this.log.warn('draining: the leases of apps end', { detail: event.reason, holders: event.holders });
        return;
      case 'drained':
        if (event.hasCome) this.log.info('draining is over: the update has come');
        else this.log.warn('draining is over, but the update has not come');
    }
  }
}

/** The lease's fields before the others, which follow as they are. */
function describeLease({ name, reason, kind, ttlMs, peer }: Lease, others: Readonly<Record<string, string>>): object {
  const described = ttlMs === null ? { name, reason, kind, peer } : { name, reason, kind, ttl: formatDuration(ttlMs), peer };
  // Not spread: see endLease.
  return Object.assign(described, others);
}
