import type { Soak } from './soak';

/** As it is in the state directory. */
export interface StoredSoak {
  readonly version: 1;
  readonly soak: Soak;
}

/** Null for what is of another version, or was not written by this one. */
export function parseStoredSoak(json: unknown): StoredSoak | null {
  if (!isRecord(json) || json['version'] !== 1 || !isRecord(json['soak'])) return null;
  const { target, runs, restarts, firstSeenWallMs, onMs, countedAt } = json['soak'];
  if (!isRecord(countedAt)) return null;
  const { boot, monotonicMs } = countedAt;
  const isUnderstood =
    typeof target === 'string' && (runs === null || typeof runs === 'string') &&
    isCount(restarts) && (firstSeenWallMs === null || isCount(firstSeenWallMs)) && isCount(onMs) &&
    typeof boot === 'string' && typeof monotonicMs === 'number';
  return isUnderstood ? { version: 1, soak: { target, runs, restarts, firstSeenWallMs, onMs, countedAt: { boot, monotonicMs } } } : null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
