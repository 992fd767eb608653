import type { Clock } from '../../server/clock';
import type { SidecarEvent } from '../events/event';
import type { EndedLease, Lease } from '../leases/lease';
import type { LeasePolicies } from '../leases/policies';
import { isPassing } from '../leases/refusal-codes';
import type { AcquireRequest, Outcome } from '../leases/request';

const LEASE_NAME = '@start';

/** A disk that is full, or a lock that cannot be flocked, is tried again after this long, in milliseconds. */
const RETRY_MS = 5000;

/** A hold that is taken late still ends at its time, but lasts at least this long, in milliseconds. */
const MIN_HOLD_MS = 1000;

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
  #firstTryAtMs: number | undefined;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly clock: Clock,
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
    const { clock, keeper, holdMs } = this;
    clearTimeout(this.#retryTimer);
    if (keeper.notes.isStartOver) return;
    // A former process that was killed before it could write this down has left the lease, or its end.
    const wasHeld = (keeper.get(LEASE_NAME) ?? keeper.getEnded(LEASE_NAME)) !== undefined;
    if (holdMs <= 0 || wasHeld) {
      keeper.notes.recordStartIsOver();
      return;
    }
    const nowMs = clock.monotonicMs();
    this.#firstTryAtMs ??= nowMs;
    const leftMs = this.#firstTryAtMs + holdMs - nowMs;
    const request: AcquireRequest = {
      name: LEASE_NAME,
      kind: 'builtin',
      // The clock has fractions of a millisecond, which nobody wants to read as a time to live.
      ttlMs: Math.max(Math.round(leftMs), MIN_HOLD_MS),
      reason: 'the device has just started',
      peer: 'sidecar',
    };
    keeper.acquireWithin(request, Math.max(leftMs, 0), (outcome) => {
      // A wait in vain was the start all the same; one that a stop of the sidecar has cut short was not.
      if (outcome.kind === 'granted' || isPassing(outcome.refusal) || leftMs <= 0) keeper.notes.recordStartIsOver();
      else if (outcome.refusal.code === 'cannot-lock') this.#retryTimer = setTimeout(() => { this.#hold(); }, RETRY_MS).unref();
    });
  }

  close(): void {
    clearTimeout(this.#retryTimer);
  }
}
