import type { EndedLease, EndReason, Lease } from '../leases/lease';

interface Keeper {
  leases(): Lease[];
  end(name: string, reason: EndReason): EndedLease | undefined;
}

/** Ends what a former process has held for a window or a probe that is not configured any more. */
export function disown(keeper: Keeper, configured: ReadonlySet<string>): void {
  for (const { name, kind, endsAtMs } of keeper.leases()) {
    if (kind === 'builtin' && endsAtMs === null && !configured.has(name)) keeper.end(name, 'released');
  }
}
