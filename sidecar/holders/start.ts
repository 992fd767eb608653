import type { AcquireRequest, Outcome } from '../leases/request';

export const START_LEASE = '@start';

/** What a holder needs of the keeper. */
interface Acquirer {
  readonly isFirstStart: boolean;
  acquireWithin(request: AcquireRequest, waitMs: number, deliver: (outcome: Outcome) => void): unknown;
}

/**
 * After a reboot the lock is gone while the apps are still starting. Holds it for them for a while, once in a boot: a
 * mere restart of the sidecar neither takes it again nor makes it longer. If the lock cannot be had yet, waits for it.
 */
export function holdOnStart(keeper: Acquirer, holdMs: number): void {
  if (holdMs <= 0 || !keeper.isFirstStart) return;
  const request: AcquireRequest = {
    name: START_LEASE,
    kind: 'builtin',
    ttlMs: holdMs,
    reason: 'the device has just started',
    peer: 'sidecar',
  };
  keeper.acquireWithin(request, holdMs, () => undefined);
}
