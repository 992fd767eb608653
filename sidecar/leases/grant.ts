import type { Lease } from './lease';
import type { AcquireRequest } from './request';

/** The lease that a request makes. */
export function newLease(request: AcquireRequest, nowMs: number, defaultTtlMs: number): Lease {
  const ttlMs = request.ttlMs === undefined ? defaultTtlMs : request.ttlMs;
  return {
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

/** What a request makes of a live lease of its name; null if it is not for this request to renew. */
export function renewedLease(live: Lease, request: AcquireRequest, nowMs: number): Lease | null {
  // A connection's lease has an end only while its holder may come back, after a restart.
  const isTakenUp = live.kind === 'connection' && live.endsAtMs !== null;
  if (live.kind !== request.kind || (live.kind === 'connection' && !isTakenUp)) return null;
  const ttlMs = request.ttlMs === undefined ? live.ttlMs : request.ttlMs;
  return {
    ...live,
    reason: request.reason ?? live.reason,
    ttlMs,
    endsAtMs: endOf(ttlMs, nowMs),
    renewals: live.renewals + (isTakenUp ? 0 : 1),
    peer: request.peer,
  };
}

function endOf(ttlMs: number | null, nowMs: number): number | null {
  return ttlMs === null ? null : nowMs + ttlMs;
}
