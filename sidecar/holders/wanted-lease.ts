import type { EndedLease, EndReason, Lease } from '../leases/lease';
import type { AcquireRequest, Outcome } from '../leases/request';

/** How long we wait for a lock that cannot be had: longer than any update takes. Milliseconds. */
const WAIT_MS = 30 * 86_400_000;

/** What a holder needs of the keeper. */
export interface LeaseKeeper {
  get(name: string): Lease | undefined;
  acquireWithin(request: AcquireRequest, waitMs: number, deliver: (outcome: Outcome) => void): (() => void) | null;
  end(name: string, reason: EndReason): EndedLease | undefined;
}

/**
 * A lease of the sidecar's own that is wanted at times, and then held whenever it can be had: if an update is being
 * applied it waits for the end of that, and if the lock is lost it waits until it may be taken again.
 */
export class WantedLease {
  #reason: string | null = null;
  #stopWaiting: (() => void) | null = null;

  constructor(
    private readonly keeper: LeaseKeeper,
    readonly name: string,
  ) {}

  /** Why it is wanted; null if it is not. */
  get wantedFor(): string | null {
    return this.#reason;
  }

  /** Wants it. To be called again every now and then: a request that may not wait is not tried again by itself. */
  want(reason: string): void {
    const live = this.keeper.get(this.name);
    if (this.#stopWaiting !== null && this.#reason === reason) return;
    this.#reason = reason;
    if (live?.reason === reason && live.endsAtMs === null) return;
    this.#drop();
    const request: AcquireRequest = { name: this.name, kind: 'builtin', ttlMs: null, reason, peer: 'sidecar' };
    this.#stopWaiting = this.keeper.acquireWithin(request, WAIT_MS, () => {
      this.#stopWaiting = null;
    });
  }

  /** Does not want it any more. */
  letGo(): void {
    this.#reason = null;
    this.#drop();
    this.keeper.end(this.name, 'released');
  }

  /** To be called when the lease has ended: unless that was our own doing, it is wanted again. */
  onEnded(): void {
    const reason = this.#reason;
    // Not at once: the code that ended it has not finished.
    if (reason !== null) setImmediate(() => { if (this.#reason === reason) this.want(reason); });
  }

  #drop(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = null;
  }
}
