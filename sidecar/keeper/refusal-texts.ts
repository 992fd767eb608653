import type { EndedLease, Lease } from '../leases/lease';
import type { PathStanding } from '../lock/update-lock';
import type { Refusal } from '../leases/refusal-codes';

/** The refusals in words for people. */

export const STOPPING: Refusal = { code: 'stopping', detail: 'The sidecar is stopping.' };

export function cannotLock(detail: string): Refusal {
  return { code: 'cannot-lock', detail: `The lock cannot be taken: ${detail}.` };
}

export function nameInUse(lease: Lease): Refusal {
  return {
    code: 'name-in-use',
    detail: `The lease ${lease.name} is live and held by ${lease.kind === 'connection' ? 'a connection' : 'renewals'}.`,
    holder: lease.name,
  };
}

export function alreadyLive(name: string): Refusal {
  return { code: 'precondition-failed', detail: `The lease ${name} is live already.`, holder: name };
}

/** @param ended the lease that was meant, if it is remembered */
export function noneToRenew(name: string, ended?: EndedLease): Refusal {
  const detail = ended === undefined ? `There is no live lease ${name}.` : `This lease ${name} has ended: ${ended.ended.reason}.`;
  return { code: 'precondition-failed', detail, ...(ended === undefined ? {} : { ended }) };
}

/** @param ended the lease that was meant, if it is remembered */
export function anotherLease({ name }: Lease, ended?: EndedLease): Refusal {
  const detail = `The live lease ${name} is another one, with another id.`;
  return { code: 'precondition-failed', detail, holder: name, ...(ended === undefined ? {} : { ended }) };
}

export function tooManyLeases(limit: number): Refusal {
  return { code: 'too-many-leases', detail: `There are ${String(limit)} live leases, which is the limit.` };
}

/** Why the lock cannot be had while there is a file at one of its names. */
export function fromStanding({ path, standing }: PathStanding): Refusal {
  switch (standing) {
    case 'supervisor':
    case 'absent': // It was there a moment ago.
      return { code: 'updating', detail: `The balena Supervisor holds the lock (${path}).`, holder: 'supervisor' };
    case 'helios':
      return { code: 'updating', detail: `Helios holds the lock (${path}).`, holder: 'helios' };
    case 'unknown':
      return cannotLock(`${path} cannot be looked at`);
    case 'ours':
      return cannotLock(`${path} is ours, is not needed any more, and cannot be removed`);
    case 'foreign':
      return {
        code: 'foreign-lock',
        detail: `A file that is not the sidecar's holds the lock: ${path}. The program that made it has to remove it.`,
        holder: path,
      };
  }
}
