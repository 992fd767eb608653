import type { JournalSays } from './reboot-journal';

/** What the journal told of longer ago than this is over: a round takes minutes at most, and so does going down. Milliseconds. */
export const MAX_AGE_MS = 600_000;

/** A line whose time is further in the future than this, in milliseconds, was written by another clock, perhaps that of a boot before. */
const MAX_AHEAD_MS = 60_000;

/** What is known of a reboot of the host OS. */
export interface RebootStatus {
  /** Since when it waits for our lock, in monotonic milliseconds; null if it does not, as far as is known. */
  readonly waitsSinceMs: number | null;
  /** The lock file of another service for which one waits, a path of the host; null if none does. */
  readonly elsewhere: string | null;
  /** It has begun: the device is going down. */
  readonly isUnderWay: boolean;
}

export const NO_REBOOT: RebootStatus = { waitsSinceMs: null, elsewhere: null, isUnderWay: false };

/** When the journal was read. Milliseconds. */
export interface Moment {
  readonly wallMs: number;
  /** Since the machine booted. */
  readonly monotonicMs: number;
}

/**
 * The status after the journal has been read. Only what says so ends a wait.
 * @param isOurs whether a path of the host is that of our lock
 */
export function afterJournal(status: RebootStatus, says: JournalSays, now: Moment, isOurs: (path: string) => boolean): RebootStatus {
  if (says.kind === 'unclear') return status;
  if (says.kind === 'waits-not') return NO_REBOOT;
  // The clock is not set yet, or was set back. A reboot that waits now writes another line within seconds.
  if (says.atWallMs > now.wallMs + MAX_AHEAD_MS) return status;
  const ageMs = Math.max(0, now.wallMs - says.atWallMs);
  // An older line is of a wait that has ended, and one of before this boot says nothing of now.
  if (ageMs > Math.min(MAX_AGE_MS, now.monotonicMs)) return NO_REBOOT;
  if (says.kind === 'goes-on') return { ...NO_REBOOT, isUnderWay: true };
  if (!isOurs(says.path)) return { ...NO_REBOOT, elsewhere: says.path };
  return { ...NO_REBOOT, waitsSinceMs: status.waitsSinceMs ?? now.monotonicMs - ageMs };
}

/**
 * Tells our lock file among those of the host, which are in a directory for each service (balena-supervisor `src/lib/update-lock.ts`).
 * Without the names of app and service any may be ours.
 */
export function ownPath(appId: string | null, serviceName: string | null): (path: string) => boolean {
  if (appId === null || serviceName === null) return () => true;
  return (path) => path.endsWith(`/${appId}/${serviceName}/updates.lock`);
}
