import type { EndedLease, Lease } from '../leases/lease';
import { isPassing, type AcquireRequest, type Outcome } from '../leases/request';

export const START_LEASE = '@start';

/** What a holder needs of the keeper. */
interface Keeper {
  readonly isStartOver: boolean;
  startIsOver(): void;
  get(name: string): Lease | undefined;
  getEnded(name: string): EndedLease | undefined;
  acquireWithin(request: AcquireRequest, waitMs: number, deliver: (outcome: Outcome) => void): unknown;
}

/**
 * After a reboot the lock is gone while the apps are still starting. Holds it for them for a while, once in a boot: a
 * mere restart of the sidecar neither takes it again nor makes it longer. If the lock cannot be had yet, waits for it.
 * To be called whenever the journal has been opened.
 */
export function holdOnStart(keeper: Keeper, holdMs: number): void {
  if (keeper.isStartOver) return;
  // A process that was killed before it could say so has left the lease, or its end, all the same.
  const wasHeld = (keeper.get(START_LEASE) ?? keeper.getEnded(START_LEASE)) !== undefined;
  if (holdMs <= 0 || wasHeld) {
    keeper.startIsOver();
    return;
  }
  const request: AcquireRequest = {
    name: START_LEASE,
    kind: 'builtin',
    ttlMs: holdMs,
    reason: 'the device has just started',
    peer: 'sidecar',
  };
  keeper.acquireWithin(request, holdMs, (outcome) => {
    // A wait in vain was the start all the same; one that a stop of the sidecar, or its disk, has cut short was not.
    if (outcome.kind === 'granted' || isPassing(outcome.refusal)) keeper.startIsOver();
  });
}
