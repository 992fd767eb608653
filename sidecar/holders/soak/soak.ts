/** How often a newer release may start the time anew before one of them has been applied. */
export const MAX_RESTARTS = 3;

/**
 * A device without a battery boots with the time at which it was switched off, and has it corrected once it is online, which is also
 * when it sees a release. Its clock tells when that was only after the device has been on for this long, in milliseconds.
 */
const CORRECTED_WITHIN_MS = 5 * 60_000;

/** The present time, by both clocks. */
export interface Now {
  /** The id of this boot: monotonic times of another one mean nothing. */
  readonly boot: string;
  /** Milliseconds since the device booted. */
  readonly monotonicMs: number;
  /** Milliseconds of the Unix epoch; null while the clock of the device is not set. */
  readonly wallMs: number | null;
}

/** The releases of our app, by their commits. */
export interface Commits {
  /** The one that the device is to have. */
  readonly target: string;
  /** The one that it has; null if that is not known. */
  readonly runs: string | null;
}

/** How long the release that the device is to have has waited. Lengths of time are in milliseconds. */
export interface Soak extends Commits {
  /** How often a newer release has started the time anew. */
  readonly restarts: number;
  /** When the device first saw it, by the wall clock; null if that has not been right since. */
  readonly firstSeenWallMs: number | null;
  /** How long the device has been on since then, as it was counted at {@link countedAt}. */
  readonly onMs: number;
  readonly countedAt: { readonly boot: string; readonly monotonicMs: number };
}

/** What is known once the Supervisor has named the commits. */
export function afterSight(soak: Soak | null, { target, runs }: Commits, now: Now): Soak {
  const running = runs ?? soak?.runs ?? null;
  // Also after a change of variables: that is the same release once more.
  if (soak?.target === target) return { ...counted(soak, now), runs: running };
  const isNewer = soak !== null && soak.target !== running && target !== running;
  if (!isNewer) return firstSeen({ target, runs: running }, 0, now);
  // A fleet with a release a day would otherwise never be updated.
  if (soak.restarts >= MAX_RESTARTS) return { ...counted(soak, now), target, runs: running };
  return firstSeen({ target, runs: running }, soak.restarts + 1, now);
}

/** Goes on with the count: to be called at the start, and every now and then, to be kept, since what is not counted is lost at a reboot. */
export function counted(soak: Soak, now: Now): Soak {
  const onMs = onFor(soak, now);
  const { boot, monotonicMs } = now;
  return { ...soak, onMs, countedAt: { boot, monotonicMs }, firstSeenWallMs: soak.firstSeenWallMs ?? wallMsBefore(onMs, now) };
}

/**
 * For how long it still has to wait; 0 if it need not, because it has, or because it runs already. With a clock that is set the time
 * counts during which the device was off, too, so that one that is switched off every night soaks at night; without one, only the time
 * for which it was on.
 */
export function leftMs(soak: Soak, requiredMs: number, now: Now): number {
  return soak.target === soak.runs ? 0 : Math.max(0, requiredMs - waitedMs(soak, now));
}

function waitedMs(soak: Soak, now: Now): number {
  const { firstSeenWallMs } = soak;
  const { wallMs } = now;
  const byWallMs = firstSeenWallMs === null || wallMs === null ? 0 : wallMs - firstSeenWallMs;
  return Math.max(onFor(soak, now), byWallMs);
}

/** In another boot nothing is added before it has been counted there for the first time. */
function onFor({ onMs, countedAt }: Soak, { boot, monotonicMs }: Now): number {
  return boot === countedAt.boot ? onMs + Math.max(0, Math.round(monotonicMs - countedAt.monotonicMs)) : onMs;
}

function firstSeen(commits: Commits, restarts: number, now: Now): Soak {
  const { boot, monotonicMs } = now;
  return { ...commits, restarts, firstSeenWallMs: wallMsBefore(0, now), onMs: 0, countedAt: { boot, monotonicMs } };
}

/** By the wall clock, so long ago; null if it may not be right. */
function wallMsBefore(agoMs: number, { monotonicMs, wallMs }: Now): number | null {
  return wallMs === null || monotonicMs < CORRECTED_WITHIN_MS ? null : Math.round(wallMs - agoMs);
}
