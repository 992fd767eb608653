import { toCheck, type Checks } from '../../server/checks';
import type { Keeper } from './keeper';

/** What could keep the lock from being taken now. */
export function addLockChecks(checks: Checks, keeper: Pick<Keeper, 'status'>): void {
  checks.add(() => toCheck('disk', keeper.status().obstacles.disk?.detail ?? null, 'Directory, journal and flock can be used.'));
  checks.add(() => toCheck('names', keeper.status().obstacles.names?.detail ?? null, 'The names of the lock are free, or ours.'));
  checks.add(() => toCheck('gates', keeper.status().obstacles.gate?.detail ?? null, 'No update is being applied or past its deadline, and the lock was not just taken away.'));
}
