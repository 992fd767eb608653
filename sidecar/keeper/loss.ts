import type { PathStanding } from '../lock/inspected-path';
import type { LossCause } from '../events/event';

/**
 * How long after a loss we can tell who took the lock, in milliseconds. In a forced update the Supervisor removes our file first,
 * and its own is there when `lockfile` has run: about 2 ms later on an idle machine.
 */
const CAUSE_SETTLES_MS = 250;

/** Its file may be gone again sooner than that: where it cannot have the lock of another service, say. Milliseconds. */
const LOOK_EVERY_MS = 5;

/** Who took the lock away, by the files that are now at its names. */
export function causeOfLoss(paths: readonly PathStanding[]): LossCause {
  const standings = paths.map(({ standing }) => standing);
  if (standings.includes('supervisor')) return 'supervisor';
  if (standings.includes('helios')) return 'helios';
  return standings.includes('foreign') ? 'replaced' : 'removed';
}

/** Calls back with the cause: at once if it is clear already, else when it is, or a file of the Supervisor or Helios has had time to appear. */
export function whenCauseShows(cause: LossCause, inspect: () => readonly PathStanding[], tell: (cause: LossCause) => void): void {
  if (cause !== 'removed') {
    tell(cause);
    return;
  }
  const endsAtMs = performance.now() + CAUSE_SETTLES_MS;
  const timer = setInterval(() => {
    const shown = causeOfLoss(inspect());
    if (shown === 'removed' && performance.now() < endsAtMs) return;
    clearInterval(timer);
    tell(shown);
  }, LOOK_EVERY_MS).unref();
}
