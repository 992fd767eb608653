import { formatDuration } from '../../server/duration';
import type { EndedLease, EndReason, Lease } from '../leases/lease';
import type { LossCause, RequestResult } from './event';

/** The words that the descriptions of several events share. */

export const TURNS = {
  updating: 'An update is being applied',
  foreign: 'Somebody else has the lock',
  free: 'The lock is free again',
} as const;

const ENDS: Readonly<Record<EndReason, string>> = {
  released: 'let go',
  expired: 'expired',
  disconnected: 'ended with its connection',
  lost: 'lost the lock, which was taken away from outside',
  drained: 'was drained: an update had waited long enough',
  stopped: 'ended: the sidecar was stopped',
};

export const LOSSES: Readonly<Record<LossCause, string>> = {
  supervisor: 'The Supervisor took the lock away, by force',
  helios: 'Helios took the lock away, by force',
  removed: 'The lock was lost: somebody removed its file',
  replaced: 'The lock was lost: somebody replaced its file',
};

export const RESULTS: Readonly<Record<RequestResult, string>> = {
  accepted: 'accepted',
  ignored: 'ignored',
  unconfirmed: 'not confirmed',
  failed: 'failed',
};

/** A connection renews nothing: it takes the place of another one. */
export function howRenewed({ kind, renewals }: Lease): string {
  if (kind === 'connection') return 'connected again';
  return renewals <= 1 ? 'renewed' : `renewed, ${String(renewals)} times so far`;
}

/** An app that asked only once has simply had its time. */
export function howItEnded({ kind, renewals, ended }: EndedLease): string {
  return ended.reason === 'expired' && kind === 'timed' && renewals > 0 ? 'expired: it was not renewed in time' : ENDS[ended.reason];
}

export function leaseFields({ name, reason, kind, ttlMs, peer }: Lease): Record<string, unknown> {
  return { name, reason, kind, ...(ttlMs === null ? {} : { ttl: formatDuration(ttlMs) }), peer };
}

/** The commit of a release, as git and the dashboard shorten it. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}

/** How many holders are named; the others are counted. */
const MAX_NAMED = 10;

export function heldBy(holders: readonly string[]): string {
  if (holders.length === 0) return '';
  const more = holders.length - MAX_NAMED;
  return `held by ${holders.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

export function somebodyAt(peer: string): string {
  return peer === 'unix' ? 'Somebody on the Unix socket' : `Somebody at ${peer}`;
}
