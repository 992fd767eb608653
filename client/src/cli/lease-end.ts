import type { Lease, LockStatus } from '../types';
import { future } from './moments';

/** What an answer says of the ends of leases. */
type Ends = Pick<LockStatus, 'leases' | 'window' | 'override'>;

/** What ends leases of the sidecar's own; its summary says when, where that is known. */
const OWN_ENDS: Readonly<Record<string, string>> = { '@soak': 'until the soak ends', '@tags': 'until the hold by tag ends' };

/** The sidecar's reason for `@window` where no window opens by itself. */
const NOBODY_ALLOWS = 'nobody has allowed updates';

/** Whether a lease stays until somebody allows updates. */
export function isUpToPeople({ name, reason }: Lease): boolean {
  return name === '@window' && reason === NOBODY_ALLOWS;
}

/** When a lease ends as things are; null if nobody knows. Those of windows and overrides do not say so themselves. */
function endOf({ name, expires }: Lease, { window, override }: Ends): string | null {
  if (name === '@window') return window?.opens ?? null;
  if (name === '@override') return override?.until ?? null;
  return expires;
}

/** When the last lease ends as things are; null if nobody knows, or if there are none. */
export function endOfAll(status: Ends): string | null {
  const ends = status.leases.map((lease) => endOf(lease, status));
  return ends.includes(null) ? null : (ends.sort().at(-1) ?? null);
}

export function untilText(lease: Lease, status: Ends, { nowMs }: { readonly nowMs: number }): string {
  const end = endOf(lease, status);
  if (end !== null) return `until ${future(end, nowMs)}`;
  if (lease.name.startsWith('@probe-')) return 'until its next answer at the earliest';
  if (isUpToPeople(lease)) return 'until somebody allows updates';
  const ownEnd = OWN_ENDS[lease.name];
  if (ownEnd !== undefined) return ownEnd;
  return lease.kind === 'connection' ? 'while it is connected' : 'until further notice';
}
