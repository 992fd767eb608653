import type { Lease } from '../leases/lease';

/**
 * A lease as it goes on after a restart of the sidecar. One whose time was up meanwhile stays as it is, and so ends at
 * once. For the others there is a grace in which their holders can come back: they had nobody to renew with.
 */
export function revive(lease: Lease, nowMs: number, graceMs: number): Lease {
  if (lease.endsAtMs !== null && lease.endsAtMs <= nowMs) return lease;
  // The sidecar's own leases have nobody who must come back: they never last beyond their time, or until their holder,
  // which is back already, lets go.
  if (lease.kind === 'builtin') return lease;
  return { ...lease, endsAtMs: Math.max(lease.endsAtMs ?? 0, nowMs + graceMs) };
}
