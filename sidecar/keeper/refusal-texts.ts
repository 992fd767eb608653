import { formatDuration } from '../../server/duration';
import { quote } from '../../server/text';
import type { EndedLease, Lease } from '../leases/lease';
import type { FoundPath } from './left-behind';
import type { Refusal } from '../leases/refusal-codes';

/** The refusals in words for people. */

export const STOPPING: Refusal = { code: 'stopping', detail: 'The sidecar is stopping.' };

export function cannotLock(detail: string): Refusal {
  return { code: 'cannot-lock', detail: `The lock cannot be taken: ${detail}.` };
}

export function nameInUse({ name, kind, endsAtMs }: Lease, nowMs: number): Refusal {
  const by =
    kind === 'connection' || endsAtMs === null
      ? 'an open connection'
      : `a lease for a time, which ends in ${formatDuration(Math.ceil((endsAtMs - nowMs) / 1000) * 1000)} unless it is renewed`;
  return { code: 'name-in-use', detail: `The name ${quote(name)} is in use by ${by}; choose another name.`, holder: name };
}

export function alreadyLive(name: string): Refusal {
  return { code: 'precondition-failed', detail: `The lease ${quote(name)} is live already.`, holder: name };
}

/** @param ended the lease that was meant, if it is remembered */
export function noneToRenew(name: string, ended?: EndedLease): Refusal {
  const detail = ended === undefined ? `There is no live lease ${quote(name)}.` : `This lease ${quote(name)} has ended: ${ended.ended.reason}.`;
  return { code: 'precondition-failed', detail, ...(ended === undefined ? {} : { ended }) };
}

/** @param ended the lease that was meant, if it is remembered */
export function anotherLease({ name }: Lease, ended?: EndedLease): Refusal {
  const detail = `The live lease ${quote(name)} is another one, with another id.`;
  return { code: 'precondition-failed', detail, holder: name, ...(ended === undefined ? {} : { ended }) };
}

export function tooManyLeases(limit: number): Refusal {
  return { code: 'too-many-leases', detail: `There are ${String(limit)} live leases, which is the limit.` };
}

/** Why the lock cannot be had while there is a file at one of its names. */
export function fromStanding(found: FoundPath): Refusal {
  const { path, standing, isLeftBehind } = found;
  switch (standing) {
    case 'supervisor':
    case 'absent': // It was there a moment ago.
      return { code: 'updating', detail: `The balena Supervisor holds the lock (${path}).`, holder: 'supervisor' };
    case 'helios':
      return isLeftBehind
        ? { code: 'foreign-lock', detail: `A stale file of Helios holds the lock: ${path}. ${STALE}`, holder: path }
        : { code: 'updating', detail: `Helios holds the lock (${path}).`, holder: 'helios' };
    case 'unknown':
      return cannotLock(`${path} cannot be looked at`);
    case 'ours':
      return cannotLock(`${path} is ours, is not needed any more, and cannot be removed`);
    case 'foreign':
      return { code: 'foreign-lock', detail: `A file that is not the sidecar's holds the lock: ${path}. ${whoseFile(found)}`, holder: path };
  }
}

const STALE = 'No process holds its flock, so no update is being applied. It stays until Helios takes it over or somebody removes it.';

const LEFT_BEHIND = ' No process holds its flock: a program that locks by flock may have left it behind, and then somebody has to remove it.';

/** What is known of a file that is not ours, and who has to remove it. */
function whoseFile({ file, isLeftBehind }: FoundPath): string {
  const isRoots = file?.uid === 0;
  // Before 13.1.0 the Supervisor made its file with npm's `lockfile`, as root.
  if (isRoots && file.isEmpty) {
    const supervisors = 'It belongs to root and is empty, so it may be that of a Supervisor before 13.1, which removes it after its update.';
    return `${supervisors}${isLeftBehind ? LEFT_BEHIND : ''}`;
  }
  if (file === null || !isLeftBehind) return 'The program that made it has to remove it.';
  return `It belongs to ${isRoots ? 'root' : `user ${String(file.uid)}`}.${LEFT_BEHIND}`;
}
