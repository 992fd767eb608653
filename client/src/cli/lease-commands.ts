import { isTerminal } from './terminal';
import { EXIT } from './exits';
import { future } from './moments';
import { textOf, sidecarOf, type Options } from './arguments';
import { print, printable } from './output';
import type { Lease } from '../types';
import { UpdateLock } from '../update-lock';

/** Success is silent for scripts, and shown to people at a terminal. */
export function say(text: string): void {
  if (isTerminal(1)) print(`${text}\n`);
}

export async function acquire(options: Options, [name = '']: readonly string[]): Promise<number> {
  const lease = await new UpdateLock(sidecarOf(options)).acquire({
    name,
    ttl: textOf(options['ttl']),
    reason: textOf(options['reason']),
    wait: textOf(options['wait']),
  });
  return report(options, lease, lease.renewals === 0 ? 'acquired' : 'renewed');
}

export async function renew(options: Options, [name = '']: readonly string[]): Promise<number> {
  return report(options, await new UpdateLock(sidecarOf(options)).renew(name, { ttl: textOf(options['ttl']) }), 'renewed');
}

export async function release(options: Options, [name = '']: readonly string[]): Promise<number> {
  const lease = await new UpdateLock(sidecarOf(options)).release(name);
  say(lease === null ? `${name} was not held` : `${name} released`);
  return EXIT.ok;
}

/** The names of the live leases of apps, for completion; prints nothing if the sidecar cannot be reached. */
export async function listLeases(options: Options): Promise<number> {
  const leases = await new UpdateLock(sidecarOf(options)).leases({ signal: AbortSignal.timeout(COMPLETION_MS) }).catch(() => []);
  const names = leases.map(({ name }) => name).filter((name) => !name.startsWith('@'));
  if (names.length > 0) print(`${names.map(printable).join('\n')}\n`);
  return EXIT.ok;
}

/** How long completion may take, in milliseconds. */
const COMPLETION_MS = 1000;

function report({ json }: Options, lease: Lease, what: string): number {
  if (json === true) print(`${JSON.stringify(lease)}\n`);
  else say(`${lease.name} ${what}${lease.expires === null ? '' : `, until ${future(lease.expires, Date.now())}`}`);
  return EXIT.ok;
}
