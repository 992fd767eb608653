import type { EndedLease, Lease } from '../leases/lease';
import type { Refusal } from '../leases/refusal';
import { isWanted, type AcquireRequest } from '../leases/request';
import { alreadyLive, anotherLease, noneToRenew } from './refusals';

/** What is known of the leases of one name. */
interface Known {
  readonly live: Lease | undefined;
  /** The last that has ended. */
  readonly tombstone: EndedLease | undefined;
  /** Why there may be others than these; null if there cannot. */
  readonly whyNotKnown: Refusal | null;
}

/**
 * Why a request is not for the lease of its name; null if it is. Tested before every gate: that a lease has ended is
 * final, and its holder should not have to wait to learn of it. It is only said where it is known.
 */
export function unmetPrecondition({ name, only }: Pick<AcquireRequest, 'name' | 'only'>, { live, tombstone, whyNotKnown }: Known): Refusal | null {
  if (only === undefined) return null;
  if (only === 'new') return live === undefined ? null : alreadyLive(name);
  if (live !== undefined && isWanted(live, only)) return null;
  const ended = tombstone !== undefined && isWanted(tombstone, only) ? tombstone : undefined;
  return live === undefined ? (whyNotKnown ?? noneToRenew(name, ended)) : anotherLease(live, ended);
}
