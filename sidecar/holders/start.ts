import type { SidecarEvent } from '../events/event';
import type { EndedLease, Lease } from '../leases/lease';
import type { LeasePolicies } from '../leases/policies';
import { isPassing } from '../leases/refusal';
import type { AcquireRequest, Outcome } from '../leases/request';

const LEASE_NAME = '@start';

/** What a holder needs of the keeper. */
interface Keeper {
  readonly notes: { readonly isStartOver: boolean; recordStartIsOver(): void };
  get(name: string): Lease | undefined;
  getEnded(name: string): EndedLease | undefined;
  acquireWithin(request: AcquireRequest, waitMs: number, deliver: (outcome: Outcome) => void): unknown;
}

/**
 * After a reboot the lock is gone while the apps are still starting. Holds it for them for a while, once in a boot: a
 * mere restart of the sidecar neither takes it again nor makes it longer. If the lock cannot be had yet, waits for it.
 */
export class StartHolder {
  constructor(
    private readonly keeper: Keeper,
    policies: LeasePolicies,
    private readonly holdMs: number,
  ) {
    policies.register(LEASE_NAME, {});
  }

  onEvent({ type }: SidecarEvent): void {
    if (type === 'store-opened') this.#hold();
  }

  #hold(): void {
    const { keeper, holdMs } = this;
    if (keeper.notes.isStartOver) return;
    // A process that was killed before it could say so has left the lease, or its end, all the same.
    const wasHeld = (keeper.get(LEASE_NAME) ?? keeper.getEnded(LEASE_NAME)) !== undefined;
    if (holdMs <= 0 || wasHeld) {
      keeper.notes.recordStartIsOver();
      return;
    }
    const request: AcquireRequest = {
      name: LEASE_NAME,
      kind: 'builtin',
      ttlMs: holdMs,
      reason: 'the device has just started',
      peer: 'sidecar',
    };
    keeper.acquireWithin(request, holdMs, (outcome) => {
      // A wait in vain was the start all the same; one that a stop of the sidecar, or its disk, has cut short was not.
      if (outcome.kind === 'granted' || isPassing(outcome.refusal)) keeper.notes.recordStartIsOver();
    });
  }
}
