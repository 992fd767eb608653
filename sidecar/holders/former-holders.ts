import type { SidecarEvent } from '../events/event';
import type { EndedLease, EndReason, Lease } from '../leases/lease';
import type { LeasePolicies } from '../leases/policies';

interface Keeper {
  leases(): Lease[];
  end(name: string, reason: EndReason): EndedLease | undefined;
}

/**
 * Ends the leases that a former process has held for a window or a probe that is not configured any more. It has to be told
 * of events after the holders, which by then have taken over the leases that they still want, without a gap.
 */
export class FormerHolders {
  constructor(
    private readonly keeper: Keeper,
    private readonly policies: LeasePolicies,
  ) {}

  onEvent({ type }: SidecarEvent): void {
    if (type !== 'store-opened') return;
    for (const { name, kind, endsAtMs } of this.keeper.leases()) {
      if (kind === 'builtin' && endsAtMs === null && !this.policies.isRegistered(name)) this.keeper.end(name, 'released');
    }
  }
}
