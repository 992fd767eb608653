import { documentOf } from './answer';
import type { Caller } from './caller';
import { LockLostError } from './errors/lock-lost-error';
import { LockUnavailableError } from './errors/lock-unavailable-error';
import { UpdateLockError } from './errors/update-lock-error';
import { openHold, type HoldStream } from './hold-stream';
import { isSameLease, type Sighting } from './lease-identity';
import { monotonicMs } from './monotonic-clock';
import { isPassing } from './persist';
import type { Lease } from './types';

/** A lease whose connection broke. */
export interface Orphan {
  readonly lease: Lease;
  readonly reason: string | undefined;
  /** When it was granted and when its connection broke, as `monotonicMs` has it. */
  readonly grantedAtMs: number;
  readonly brokenAtMs: number;
}

/**
 * Takes up again, once, a lease that the sidecar may have kept over a restart. It looks first, so that one that has ended is not
 * replaced by a new one: an update may be about to be applied.
 * @throws LockLostError if it has ended; anything that {@link mayBeTakenUp} knows if it can be tried again
 */
export async function takeUp(caller: Caller, orphan: Orphan, signal: AbortSignal, isBackground: boolean): Promise<HoldStream> {
  const { lease, reason, grantedAtMs, brokenAtMs } = orphan;
  const check = (sighting: Sighting): boolean => {
    const nowMs = monotonicMs();
    return isSameLease(lease, sighting, nowMs - grantedAtMs, nowMs - brokenAtMs);
  };
  const path = `/v1/leases/${encodeURIComponent(lease.name)}`;
  const answer = await caller.exchange({ method: 'GET', path, signal, isBackground });
  const seen = { lease: documentOf(answer, caller.url) as Lease, dateMs: answer.dateMs };
  if (!check(seen)) throw lost(lease, 'another lease has its name');
  const stream = await openHold(caller, { name: lease.name, reason, waitMs: 0, signal, isBackground });
  if (check(stream)) return stream;
  await stream.close(caller.timing.goodbyeMs);
  throw lost(lease, 'it had ended when it was to be taken up again');
}

/**
 * Whether a lease that could not be taken up may be later: the sidecar is not there, is not ready, or has not noticed yet that
 * the old connection is gone (the name is still in use, and we have just seen that it is by our lease).
 */
export function mayBeTakenUp(error: unknown): boolean {
  if (error instanceof LockUnavailableError) return ['name-in-use', 'stopping', 'cannot-lock'].includes(error.code);
  return isPassing(error);
}

/** What a lease that cannot be taken up stands for. */
export function asLost(error: unknown, { lease }: Orphan): LockLostError {
  if (error instanceof LockLostError) return error;
  if (error instanceof UpdateLockError) return lost(lease, error.message, error.code, error);
  return lost(lease, String(error), 'unreachable', error);
}

function lost({ name }: Lease, why: string, code = 'lost', cause?: unknown): LockLostError {
  return new LockLostError(`The lease ${name} is lost: ${why}`, code, cause === undefined ? undefined : { cause });
}
