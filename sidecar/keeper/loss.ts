import type { PathStanding } from '../lock/update-lock';
import type { LossCause } from './events';

/**
 * How long after a loss it shows who it was, in milliseconds. By force the Supervisor removes our file first, and its
 * own is there when `lockfile` has run: about 2 ms later on an idle machine.
 */
export const CAUSE_SETTLES_MS = 250;

/** Who took the lock away, by what now stands where our files were. */
export function causeOfLoss(paths: readonly PathStanding[]): LossCause {
  const standings = paths.map(({ standing }) => standing);
  if (standings.includes('supervisor')) return 'supervisor';
  if (standings.includes('helios')) return 'helios';
  return standings.includes('foreign') ? 'replaced' : 'removed';
}
