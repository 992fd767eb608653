/** `timed` ends by itself; `connection` lives as long as a connection; `builtin` is the sidecar's own. */
export type LeaseKind = 'timed' | 'connection' | 'builtin';

export const END_REASONS = ['released', 'expired', 'disconnected', 'lost', 'drained', 'stopped'] as const;
export type EndReason = (typeof END_REASONS)[number];

/** One named reason to hold the lock. Times are milliseconds of the monotonic clock. Never changed, only replaced. */
export interface Lease {
  /** Random, new with every grant, and the same for as long as the lease lives: by this its holder recognizes it. */
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  readonly kind: LeaseKind;
  /** When it was first granted; renewals do not move it. */
  readonly sinceMs: number;
  /** Its length at the last request, null for one without an end of its own. */
  readonly ttlMs: number | null;
  /** When it ends by itself, null for never. A connection's lease has an end only while its holder may still come back. */
  readonly endsAtMs: number | null;
  readonly renewals: number;
  /** Who asked: `unix`, an IP address, or `sidecar`. */
  readonly peer: string;
}

/** A lease that has ended, remembered for a while, so that its holder can be told how. */
export interface EndedLease extends Lease {
  readonly ended: { readonly reason: EndReason; readonly atMs: number };
}

/**
 * Every field by its name, here and wherever one object is made of another at each request: for `{ ...lease, ended }` V8
 * makes a new shape each time, which costs more than the object and outlives it.
 */
export function endLease(lease: Lease, reason: EndReason, atMs: number): EndedLease {
  const { id, name, reason: why, kind, sinceMs, ttlMs, endsAtMs, renewals, peer } = lease;
  return { id, name, reason: why, kind, sinceMs, ttlMs, endsAtMs, renewals, peer, ended: { reason, atMs } };
}

/** Ids, which stand in headers as they are. */
export const ID_PATTERN = /^[\w-]{1,64}$/;

/** Whether the end of a lease has come, though nobody may have ended it yet. */
export function isDue({ endsAtMs }: Lease, nowMs: number): boolean {
  return endsAtMs !== null && endsAtMs <= nowMs;
}

/** Names of apps' leases: 1 to 64 characters, the first a letter or digit. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Names of the sidecar's own leases, which anyone may read and nobody else may take. */
export const BUILTIN_NAME_PATTERN = /^@[A-Za-z0-9._-]{1,71}$/;

/** A reason is for people; this is in characters (code points). A record of the journal has to hold the longest. */
export const REASON_MAX_LENGTH = 256;
