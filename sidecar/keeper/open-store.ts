import { Journal, type Recovered } from '../journal/journal';
import { messageOf } from '../../server/text';
import type { LockUser } from '../lock/lock-user';
import type { Present } from '../journal/record';
import { UpdateLock, type LockPaths, type OpenResult } from '../lock/update-lock';

/** The lock and the journal of its leases: they live and die together, in one directory. */
export interface Store {
  readonly lock: UpdateLock;
  readonly journal: Journal;
  readonly recovered: Recovered;
}

export type OpenStoreResult =
  | { readonly kind: 'open'; readonly store: Store }
  | Exclude<OpenResult, { readonly kind: 'open' }>;

/** Opens both, or neither. */
export function openStore(paths: LockPaths, user: LockUser, present: Present): OpenStoreResult {
  const opened = UpdateLock.open(paths, user);
  if (opened.kind !== 'open') return opened;
  try {
    const { journal, recovered } = Journal.open(opened.lock.main, present);
    return { kind: 'open', store: { lock: opened.lock, journal, recovered } };
  } catch (error) {
    opened.lock.close(true);
    return { kind: 'failed', detail: `the journal: ${messageOf(error)}` };
  }
}
