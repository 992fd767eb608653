import type { Caller } from './caller';
import { documentOf, leaseNamed } from './answer';
import { LockLostError } from './errors/lock-lost-error';
import { UpdateLockError } from './errors/update-lock-error';
import { openHold, type HoldStream } from './hold-stream';
import { idOf, leasePath } from './lease-name';
import type { Lease } from './types';

/** A lease whose connection broke. */
export interface DetachedLease {
  readonly lease: Lease;
  readonly reason: string | undefined;
}

/**
 * Tries once to continue a lease that the sidecar may have kept over a restart, on a new connection.
 * @throws LockLostError if it has ended; after any other error it can be tried again
 */
export async function reattach(caller: Caller, { lease, reason }: DetachedLease, signal: AbortSignal): Promise<HoldStream> {
  // An older sidecar knows no ids, and a hold would replace an ended lease by a new one. So the live lease is compared first.
  if (idOf(lease) === undefined) {
    const answer = await caller.exchange({ method: 'GET', path: leasePath(lease.name), signal, isBackground: true });
    if (!isSame(lease, documentOf(answer, caller.url, leaseNamed(lease.name)))) throw lost(lease, 'another lease has its name');
  }
  const stream = await openHold(caller, { name: lease.name, id: idOf(lease), reason, waitMs: 0, signal, isBackground: true });
  if (isSame(lease, stream.lease)) return stream;
  await stream.close(caller.timing.releaseMs);
  throw lost(lease, 'another lease has its name');
}

/** Compares leases by their ids, if both have one. */
function isSame(ours: Lease, found: Lease): boolean {
  const isById = idOf(ours) !== undefined && idOf(found) !== undefined;
  return isById ? found.id === ours.id : found.since === ours.since && found.kind === ours.kind;
}

/** The error of a hold whose lease could not be continued. */
export function asLost(error: unknown, { lease }: DetachedLease): LockLostError {
  if (error instanceof LockLostError) return error;
  if (error instanceof UpdateLockError) return lost(lease, error.message, error.code, error);
  return lost(lease, String(error), 'unreachable', error);
}

function lost({ name }: Lease, why: string, code = 'lost', cause?: unknown): LockLostError {
  return new LockLostError(`The lease ${name} is lost: ${why}`, code, cause === undefined ? undefined : { cause });
}
