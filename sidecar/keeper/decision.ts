import { randomUUID } from 'node:crypto';
import { newLease, renewedLease } from '../leases/grant';
import type { EndedLease, Lease } from '../leases/lease';
import type { Refusal } from '../leases/refusal-codes';
import { isWanted, refused, type AcquireRequest, type Outcome } from '../leases/request';
import type { LockStore } from './lock-store';
import { alreadyLive, anotherLease, nameInUse, noneToRenew, STOPPING, tooManyLeases } from './refusal-texts';
import { updatingRefusal } from './status';

/** What is known of the leases of one name. */
export interface NameFacts {
  readonly live: Lease | undefined;
  /** The last that has ended. */
  readonly ended: EndedLease | undefined;
  /** Why there may be others than these; null if there cannot. */
  readonly whyNotKnown: Refusal | null;
}

/** What a decision depends on, beside the request. */
export interface Situation {
  readonly facts: NameFacts;
  readonly nowMs: number;
  readonly isStopping: boolean;
  readonly leaseCount: number;
  /** The refusal of the first gate that is closed; null if all are open. */
  readonly closedGate: Refusal | null;
  /** Asked only as far as the decision depends on it. */
  readonly store: Pick<LockStore, 'whyNot' | 'whyNotFlocked' | 'inspect'>;
}

export interface Limits {
  readonly defaultTtlMs: number;
  /** Live leases of apps at most. */
  readonly maxLeases: number;
}

/** Leases x gates x lock -> the lease that a request may have, or why it may not. Changes nothing. */
export function decide(request: AcquireRequest, situation: Situation, limits: Limits): Outcome {
  const { facts, nowMs } = situation;
  const { live } = facts;
  const unmet = unmetPrecondition(request, facts);
  if (unmet !== null) return refused(unmet);
  if (live === undefined) {
    const refusal = whyNotGranted(request, situation, limits);
    if (refusal !== null) return refused(refusal);
    return { kind: 'granted', lease: newLease(request, nowMs, limits.defaultTtlMs, randomUUID), isNew: true };
  }
  const lease = renewedLease(live, request, nowMs, randomUUID);
  if (lease === null) return refused(nameInUse(live, nowMs));
  const refusal = whyNotRenewed(situation);
  return refusal === null ? { kind: 'granted', lease, isNew: false } : refused(refusal);
}

/**
 * Why a request is not for the lease of its name; null if it is. Tested before every gate: that a lease has ended is
 * final, and its holder should not have to wait to learn of it. It is only said where it is known.
 */
export function unmetPrecondition({ name, only }: Pick<AcquireRequest, 'name' | 'only'>, { live, ended, whyNotKnown }: NameFacts): Refusal | null {
  if (only === undefined) return null;
  if (only === 'new') return live === undefined ? null : alreadyLive(name);
  if (live !== undefined && isWanted(live, only)) return null;
  const meant = ended !== undefined && isWanted(ended, only) ? ended : undefined;
  return live === undefined ? (whyNotKnown ?? noneToRenew(name, meant)) : anotherLease(live, meant);
}

function whyNotGranted({ kind }: AcquireRequest, { isStopping, leaseCount, closedGate, store }: Situation, { maxLeases }: Limits): Refusal | null {
  if (isStopping) return STOPPING;
  const isFull = kind !== 'builtin' && leaseCount >= maxLeases;
  const refusal = closedGate ?? (isFull ? tooManyLeases(maxLeases) : null) ?? store.whyNot();
  // Where the lock is not ours, an update that is being applied says more than anything else.
  return refusal !== null && leaseCount === 0 ? (updatingRefusal(store.inspect()) ?? refusal) : refusal;
}

function whyNotRenewed({ isStopping, closedGate, store }: Situation): Refusal | null {
  return isStopping ? STOPPING : (closedGate ?? store.whyNotFlocked());
}
