import type { Lease } from './lease';
import { namesIds, type AcquireRequest } from './request';

/** Makes an id that no other lease has had. */
export type NewId = () => string;

/** The lease that a request makes. */
export function newLease(request: AcquireRequest, nowMs: number, defaultTtlMs: number, newId: NewId): Lease {
  const ttlMs = request.ttlMs === undefined ? defaultTtlMs : request.ttlMs;
  return {
    id: newId(),
    name: request.name,
    reason: request.reason ?? '',
    kind: request.kind,
    sinceMs: nowMs,
    ttlMs,
    endsAtMs: endOf(ttlMs, nowMs),
    renewals: 0,
    peer: request.peer,
  };
}

/**
 * What a request makes of the live lease of its name; null if it is not for this request to renew. A connection's lease
 * goes on with another connection if the request names its id, or if its own connection is gone. Without a precondition
 * nobody can say that it is still the same holder: then it gets a new id, so that the former holder learns of it.
 */
export function renewedLease(live: Lease, request: AcquireRequest, nowMs: number, newId: NewId): Lease | null {
  if (live.kind !== request.kind) return null;
  const isConnection = live.kind === 'connection';
  // A connection's lease has an end only while its holder may come back, after a restart.
  const isDetached = isConnection && live.endsAtMs !== null;
  if (isConnection && !isDetached && !namesIds(request)) return null;
  const ttlMs = request.ttlMs === undefined ? live.ttlMs : request.ttlMs;
  // Not spread: see endLease.
  return {
    id: isDetached && request.only === undefined ? newId() : live.id,
    name: live.name,
    reason: request.reason ?? live.reason,
    kind: live.kind,
    sinceMs: live.sinceMs,
    ttlMs,
    endsAtMs: endOf(ttlMs, nowMs),
    renewals: live.renewals + (isConnection ? 0 : 1),
    peer: request.peer,
  };
}

/**
 * A lease as it goes on after a restart of the sidecar. One whose time was up meanwhile stays as it is, and so ends at
 * once. For the others there is a grace in which their holders can come back: they had nobody to renew with.
 */
export function recoveredLease(lease: Lease, nowMs: number, graceMs: number): Lease {
  if (lease.endsAtMs !== null && lease.endsAtMs <= nowMs) return lease;
  // The sidecar's own leases have nobody who must come back: they never last beyond their time, or until their holder,
  // which is back already, lets go.
  if (lease.kind === 'builtin') return lease;
  return { ...lease, endsAtMs: Math.max(lease.endsAtMs ?? 0, nowMs + graceMs) };
}

function endOf(ttlMs: number | null, nowMs: number): number | null {
  return ttlMs === null ? null : nowMs + ttlMs;
}
