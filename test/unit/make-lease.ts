import { endLease, type EndedLease, type EndReason, type Lease } from '../../sidecar/leases/lease';

/** A lease as an app's would be, but for what the test is about. */
export function makeLease(name: string, changes: Partial<Lease> = {}): Lease {
  return { id: `id-of-${name}`, name, reason: '', kind: 'timed', sinceMs: 0, ttlMs: 60_000, endsAtMs: 60_000, renewals: 0, peer: 'unix', ...changes };
}

export function makeEndedLease(name: string, atMs: number, reason: EndReason = 'released'): EndedLease {
  return endLease(makeLease(name), reason, atMs);
}
