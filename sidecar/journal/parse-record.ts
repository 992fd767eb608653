import { randomUUID } from 'node:crypto';
import { BUILTIN_NAME_PATTERN, END_REASONS, ID_PATTERN, NAME_PATTERN, REASON_MAX_LENGTH, type EndedLease, type EndReason, type Lease, type LeaseKind } from '../leases/lease';
import { WAITING_KINDS, type UpdateNote, type Waited, type Waiting } from '../leases/waiting';
import type { Header } from './record';

/**
 * Checks the records of the journal field by field: a wrong number would otherwise keep the lock for ever, or make every answer
 * that shows it fail. Written by hand, since a library for schemas takes longer to load than everything else before the lock.
 */

/** How far in the future an end can be: longer than any duration that a setting allows. Milliseconds. */
const MAX_AHEAD_MS = 366 * 86_400_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Null if this is not a lease.
 * @param needsId whether it was written when leases had no ids: then it gets one
 */
export function parseLease(value: unknown, nowMs: number, needsId: boolean): Lease | EndedLease | null {
  if (!isObject(value)) return null;
  const id = needsId ? randomUUID() : value['id'];
  const { name, reason, kind, sinceMs, ttlMs, endsAtMs, renewals, peer, ended } = value;
  const isWhole =
    isText(id, ID_PATTERN) &&
    isText(reason) && [...reason].length <= REASON_MAX_LENGTH &&
    isTime(sinceMs, nowMs) &&
    isTimeOrNull(ttlMs, MAX_AHEAD_MS) &&
    isTimeOrNull(endsAtMs, nowMs + MAX_AHEAD_MS) &&
    typeof renewals === 'number' && Number.isSafeInteger(renewals) && renewals >= 0 &&
    isText(peer);
  if (!isWhole || !isKindOf(kind, name, ttlMs, endsAtMs)) return null;
  const lease: Lease = { id, name: name as string, reason, kind, sinceMs, ttlMs, endsAtMs, renewals, peer };
  if (ended === undefined) return lease;
  if (!isObject(ended) || !isEndReason(ended['reason']) || !isTime(ended['atMs'], nowMs)) return null;
  return { ...lease, ended: { reason: ended['reason'], atMs: ended['atMs'] } };
}

/** Null if this is not a header. */
export function parseHeader(value: unknown, nowMs: number): Header | null {
  if (!isObject(value)) return null;
  const { lostAtMs, wallOffsetMs, isStartOver, update = null } = value;
  const note = update === null ? null : parseUpdate(update, nowMs);
  if (!isTimeOrNull(lostAtMs, nowMs) || !isNumberOrNull(wallOffsetMs) || typeof isStartOver !== 'boolean') return null;
  return note === undefined ? null : { lostAtMs, wallOffsetMs, isStartOver, update: note };
}

/** Undefined if this is not a note on an update. */
function parseUpdate(value: unknown, nowMs: number): UpdateNote | undefined {
  if (!isObject(value) || !Array.isArray(value['waiting']) || !isObject(value['waited'])) return undefined;
  const waiting = value['waiting'].flatMap((one) => parseWaiting(one, nowMs) ?? []);
  const { waitedMs, countingSinceMs, drainEndsAtMs } = value['waited'];
  if (!isTime(waitedMs, nowMs) || !isTimeOrNull(countingSinceMs, nowMs)) return undefined;
  if (!isTimeOrNull(drainEndsAtMs, nowMs + MAX_AHEAD_MS)) return undefined;
  const waited: Waited = { waitedMs, countingSinceMs, drainEndsAtMs };
  return { waiting, waited };
}

/** Null if it is not known to this version. */
function parseWaiting(value: unknown, nowMs: number): Waiting | null {
  if (!isObject(value) || !isTime(value['sinceMs'], nowMs)) return null;
  const what = WAITING_KINDS.find((kind) => kind === value['what']);
  return what === undefined ? null : { what, sinceMs: value['sinceMs'] };
}

/** Whether name and times are such as a lease of that kind has. */
function isKindOf(kind: unknown, name: unknown, ttlMs: number | null, endsAtMs: number | null): kind is LeaseKind {
  switch (kind) {
    case 'timed':
      return isText(name, NAME_PATTERN) && ttlMs !== null && endsAtMs !== null;
    case 'connection':
      return isText(name, NAME_PATTERN) && ttlMs === null;
    case 'builtin':
      return isText(name, BUILTIN_NAME_PATTERN);
    default:
      return false;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown, pattern?: RegExp): value is string {
  return typeof value === 'string' && (pattern === undefined || pattern.test(value));
}

/** Not negative, and not beyond `latestMs`: so not infinite either. */
function isTime(value: unknown, latestMs: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= latestMs;
}

function isTimeOrNull(value: unknown, latestMs: number): value is number | null {
  return value === null || isTime(value, latestMs);
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || Number.isFinite(value);
}

function isEndReason(value: unknown): value is EndReason {
  return (END_REASONS as readonly unknown[]).includes(value);
}
