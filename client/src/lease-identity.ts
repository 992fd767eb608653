import type { Lease } from './types';

/** The `Date` of an answer is in whole seconds, and both sides' clocks may drift a little. In milliseconds. */
const TOLERANCE_MS = 3000;

export interface Sighting {
  readonly lease: Lease;
  /** The sidecar's wall clock when it said so, in milliseconds since the epoch; NaN if unknown. */
  readonly dateMs: number;
}

/**
 * Whether a lease is the one we were granted, or another that has got its name since. A lease keeps its `since`; but when the
 * device's clock is set (which happens after most boots), every time that the sidecar shows moves with it. Then age tells.
 * @param ageMs how long we have had ours, by a clock that nobody sets
 * @param goneForMs for how long of that we have had no connection: a lease that is not ours is not much older than that
 */
export function isSameLease(ours: Lease, { lease, dateMs }: Sighting, ageMs: number, goneForMs: number): boolean {
  if (lease.name !== ours.name || lease.kind !== ours.kind) return false;
  if (lease.since === ours.since) return true;
  const itsAgeMs = dateMs - Date.parse(lease.since);
  const canTell = ageMs - goneForMs > 2 * TOLERANCE_MS;
  return canTell && Math.abs(itsAgeMs - ageMs) <= TOLERANCE_MS;
}
