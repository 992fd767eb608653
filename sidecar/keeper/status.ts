import type { NamesOwner } from '../events/event';
import type { Lease } from '../leases/lease';
import type { Refusal, RefusalCode } from '../leases/refusal-codes';
import type { FoundPath } from './left-behind';
import { fromStanding } from './refusal-texts';

export const LOCK_STATES = ['held', 'free', 'updating', 'foreign', 'cooldown', 'unavailable'] as const;
export type LockState = (typeof LOCK_STATES)[number];

/** The lock as it is at one moment. Times are milliseconds of the monotonic clock. */
export interface LockStatus {
  readonly state: LockState;
  /** Why the lock cannot be had now; null if it can. A drain comes last, since it says nothing about the lock itself. */
  readonly refusal: Refusal | null;
  /** All reasons why the lock cannot be had, each by itself. */
  readonly obstacles: Obstacles;
  /** Since when the lock has been held without a break, null while it is not. */
  readonly sinceMs: number | null;
  /** When the last lease ends at the latest, null if the lock is not held or one has no end. */
  readonly expiresAtMs: number | null;
  readonly flocked: boolean;
  readonly paths: readonly FoundPath[];
  /** Live leases, oldest first. */
  readonly leases: readonly Lease[];
}

export interface Obstacles {
  /** A gate is closed. */
  readonly gate: Refusal | null;
  /** Directory, file system, journal or flock cannot be used. */
  readonly disk: Refusal | null;
  /** A name of the lock is taken by somebody else. */
  readonly names: Refusal | null;
}

interface Facts {
  readonly heldSinceMs: number | null;
  readonly isFlocked: boolean;
  readonly paths: readonly FoundPath[];
  readonly leases: readonly Lease[];
  readonly problem: Refusal | null;
  readonly gate: Refusal | null;
}

export function statusOf({ heldSinceMs, isFlocked, paths, leases, problem, gate }: Facts): LockStatus {
  const isHeld = heldSinceMs !== null;
  const blocking = isHeld ? undefined : paths.find(({ standing }) => standing !== 'absent');
  const obstacles = {
    gate: isHeld ? null : gate,
    disk: problem,
    names: blocking === undefined ? null : fromStanding(blocking),
  };
  const isDraining = obstacles.gate?.code === 'draining';
  const updating = isHeld ? null : updatingRefusal(paths);
  const refusal = updating ?? (isDraining ? null : obstacles.gate) ?? obstacles.disk ?? obstacles.names ?? obstacles.gate;
  return {
    state: isHeld ? 'held' : stateOf(refusal?.code),
    refusal,
    obstacles,
    sinceMs: heldSinceMs,
    expiresAtMs: latestEndMs(leases),
    flocked: isFlocked,
    paths,
    leases,
  };
}

/** Whether the Supervisor or Helios has the lock: an update is being applied. */
export function isSupervisors({ paths }: Pick<LockStatus, 'paths'>): boolean {
  return paths.some(isUpdater);
}

/** The refusal while an update is being applied, null if none is. It comes before all others, such as the cooldown. */
export function updatingRefusal(paths: readonly FoundPath[]): Refusal | null {
  const path = paths.find(isUpdater);
  return path === undefined ? null : fromStanding(path);
}

/** Whether the file is that of an update that is being applied. A stale file of Helios is not. */
export function isUpdater({ standing, isLeftBehind }: FoundPath): boolean {
  return standing === 'supervisor' || (standing === 'helios' && !isLeftBehind);
}

/** Who has the names of a lock that we do not hold; null while they cannot be looked at. */
export function ownerOfNames(paths: readonly FoundPath[]): Exclude<NamesOwner, 'ours'> | null {
  if (paths.length === 0) return null;
  if (isSupervisors({ paths })) return 'updating';
  return paths.some(({ standing }) => standing === 'foreign' || standing === 'helios') ? 'foreign' : 'free';
}

function stateOf(code: RefusalCode | undefined): LockState {
  switch (code) {
    case undefined:
    case 'draining':
      return 'free';
    case 'updating':
      return 'updating';
    case 'foreign-lock':
      return 'foreign';
    case 'cooldown':
      return 'cooldown';
    default:
      return 'unavailable';
  }
}

/** The latest end of these leases, null if there are none or one is without an end. */
function latestEndMs(leases: readonly Lease[]): number | null {
  let latestMs: number | null = null;
  for (const { endsAtMs } of leases) {
    if (endsAtMs === null) return null;
    latestMs = Math.max(latestMs ?? endsAtMs, endsAtMs);
  }
  return latestMs;
}
