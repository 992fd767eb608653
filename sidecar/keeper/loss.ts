import type { PathStanding } from '../lock/update-lock';
import type { LossCause } from '../events/event';

/**
 * How long after a loss it shows who it was, in milliseconds. By force the Supervisor removes our file first, and its
 * own is there when `lockfile` has run: about 2 ms later on an idle machine.
 */
const CAUSE_SETTLES_MS = 250;

/** Who took the lock away, by what now stands where our files were. */
export function causeOfLoss(paths: readonly PathStanding[]): LossCause {
  const standings = paths.map(({ standing }) => standing);
  if (standings.includes('supervisor')) return 'supervisor';
  if (standings.includes('helios')) return 'helios';
  return standings.includes('foreign') ? 'replaced' : 'removed';
}

/** Calls back with who it was: at once if that shows already, else when their own file has had time to appear. */
export function whenCauseShows(cause: LossCause, inspect: () => readonly PathStanding[], tell: (cause: LossCause) => void): void {
  if (cause !== 'removed') {
    tell(cause);
    return;
  }
  setTimeout(() => {
    tell(causeOfLoss(inspect()));
  }, CAUSE_SETTLES_MS).unref();
}
