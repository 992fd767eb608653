import { isDeepStrictEqual } from 'node:util';
import type { Reading } from './reading';
import type { Target } from './target';

/** What the Supervisor says of releases. Times are milliseconds of the monotonic clock. */
export interface ReleaseStatus {
  readonly supervisor: 'reachable' | 'unreachable' | 'not-asked-yet';
  /** Why the Supervisor cannot be reached; null if it can, or was never asked. */
  readonly problem: string | null;
  /** When the Supervisor answered last, null for never. */
  readonly readAtMs: number | null;
  readonly downloaded: boolean;
  readonly downloading: boolean;
  readonly failed: boolean;
  /** Helios answers in front of the Supervisor. */
  readonly isBehindHelios: boolean;
  /** The versions of the Supervisor and of the host OS, as of the last answer; null if they are not known. */
  readonly version: string | null;
  readonly os: string | null;
  /** Helios is alone, and does not tell whether a release waits. */
  readonly isSilent: boolean;
  /** Since when there has been a release to apply, null if there is none as far as is known. */
  readonly waitsSinceMs: number | null;
  /** When the last reading was the first to show a release: the next one tells whether it waits. Null otherwise. */
  readonly seenOnceAtMs: number | null;
  /** The commit of the release that the device has, as of the last answer that named it; null if none has. */
  readonly runs: string | null;
  /** The release that it is to have; null if the Supervisor was not asked for it. */
  readonly target: Target | null;
}

export const NEVER_ASKED: ReleaseStatus = {
  supervisor: 'not-asked-yet',
  problem: null,
  readAtMs: null,
  downloaded: false,
  downloading: false,
  failed: false,
  isBehindHelios: false,
  version: null,
  os: null,
  isSilent: false,
  waitsSinceMs: null,
  seenOnceAtMs: null,
  runs: null,
  target: null,
};

/** Whether a release waits for the lock: it does once everything that it needs is on the device. */
export function releaseWaits({ waitsSinceMs, downloading }: ReleaseStatus): boolean {
  return waitsSinceMs !== null && !downloading;
}

/**
 * The state after another reading. The Supervisor says "pending" for a moment whenever it polls, so one reading is not enough, unless it
 * also says that an attempt failed while the lock was held: then the lock was the cause.
 *
 * A newer release that is downloaded while an update waits does not make the waiting begin anew: a fleet with a release
 * a day would otherwise never reach a deadline.
 */
export function afterReading(status: ReleaseStatus, reading: Reading, nowMs: number, isHeld: boolean): ReleaseStatus {
  const { pending, downloaded, downloading, failed, isBehindHelios, version, os, runs, target } = reading;
  const seen = { supervisor: 'reachable', problem: null, readAtMs: nowMs, downloaded, downloading, failed, isBehindHelios, version, os, isSilent: false, runs: runs ?? status.runs, target } as const;
  if (!pending || downloading) {
    return { ...seen, waitsSinceMs: pending ? status.waitsSinceMs : null, seenOnceAtMs: null };
  }
  const isCertain = status.waitsSinceMs !== null || status.seenOnceAtMs !== null || (failed && isHeld);
  if (!isCertain) return { ...seen, waitsSinceMs: null, seenOnceAtMs: nowMs };
  return { ...seen, waitsSinceMs: status.waitsSinceMs ?? status.seenOnceAtMs ?? nowMs, seenOnceAtMs: null };
}

/** The state after an answer that tells nothing of releases. */
export function afterSilence(nowMs: number): ReleaseStatus {
  return { ...NEVER_ASKED, supervisor: 'reachable', readAtMs: nowMs, isSilent: true };
}

/** The state after the Supervisor did not answer: as before, but unreachable. */
export function afterFailure(status: ReleaseStatus, problem: string): ReleaseStatus {
  return { ...status, supervisor: 'unreachable', problem, seenOnceAtMs: null };
}

/** Whether two states differ in anything that somebody wants to know. */
export function differs(one: ReleaseStatus, other: ReleaseStatus): boolean {
  return (
    one.supervisor !== other.supervisor ||
    one.downloaded !== other.downloaded ||
    one.downloading !== other.downloading ||
    one.failed !== other.failed ||
    one.isSilent !== other.isSilent ||
    one.waitsSinceMs !== other.waitsSinceMs ||
    one.version !== other.version ||
    one.os !== other.os ||
    one.runs !== other.runs ||
    !isDeepStrictEqual(one.target, other.target)
  );
}
