import { REASON_MAX_LENGTH } from '../../leases/lease';
import { isClockSet } from '../windows/window-holder';

export const OVERRIDES = ['allow', 'hold'] as const;

/** Somebody has said by hand whether updates are allowed. Instants are milliseconds of the Unix epoch. */
export interface Override {
  readonly updates: (typeof OVERRIDES)[number];
  /** For people; may be empty. */
  readonly reason: string;
  readonly sinceWallMs: number;
  readonly untilWallMs: number;
}

/** The longest that one may last, in milliseconds: 30 days. */
export const MAX_OVERRIDE_MS = 30 * 86_400_000;

/** A clock that is corrected by less than this, in milliseconds, was right. */
const CORRECTION_MS = 60_000;

/**
 * The override as it counts at this instant. One that was given while the clock was not set counts its time from when it is:
 * what that clock read then means nothing.
 */
export function countedFrom(override: Override, nowMs: number): Override {
  if (isClockSet(override.sinceWallMs) || !isClockSet(nowMs)) return override;
  return { ...override, sinceWallMs: nowMs, untilWallMs: nowMs + override.untilWallMs - override.sinceWallMs };
}

export function isOver(override: Override, nowMs: number): boolean {
  return isClockSet(nowMs) && nowMs >= countedFrom(override, nowMs).untilWallMs;
}

/**
 * Whether it has its effect. A clock that is not set, or reads a time before the override was given, cannot tell that an `allow`
 * has not ended long ago; a `hold` is safe all the same.
 */
export function isInForce(override: Override, nowMs: number): boolean {
  if (isOver(override, nowMs)) return false;
  return override.updates === 'hold' || (isClockSet(nowMs) && nowMs >= countedFrom(override, nowMs).sinceWallMs - CORRECTION_MS);
}

/** As it is in the state directory. */
export interface StoredOverride {
  readonly version: 1;
  readonly override: Override | null;
}

/** Null for what is of another version, or was not written by this one. */
export function parseStoredOverride(json: unknown): StoredOverride | null {
  if (!isRecord(json) || json['version'] !== 1) return null;
  const { override } = json;
  if (override === null) return { version: 1, override };
  if (!isRecord(override)) return null;
  const { updates, reason, sinceWallMs, untilWallMs } = override;
  const isUnderstood =
    (updates === 'allow' || updates === 'hold') &&
    typeof reason === 'string' && reason.length <= 2 * REASON_MAX_LENGTH &&
    Number.isSafeInteger(sinceWallMs) && Number.isSafeInteger(untilWallMs) &&
    isLength(Number(untilWallMs) - Number(sinceWallMs));
  return isUnderstood ? { version: 1, override: { updates, reason, sinceWallMs: Number(sinceWallMs), untilWallMs: Number(untilWallMs) } } : null;
}

function isLength(ms: number): boolean {
  return ms > 0 && ms <= MAX_OVERRIDE_MS;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
