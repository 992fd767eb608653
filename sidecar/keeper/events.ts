import type { EndedLease, Lease } from '../leases/lease';
import type { Refusal } from '../leases/request';

/** Who took the lock away: the Supervisor or Helios by force, or somebody who removed or replaced the file. */
export const LOSS_CAUSES = ['supervisor', 'helios', 'removed', 'replaced'] as const;
export type LossCause = (typeof LOSS_CAUSES)[number];

/** What can fail without anybody's request failing. */
export const FALLIBLE_OPERATIONS = ['open', 'take', 'give-back', 'journal', 'describe', 'flock'] as const;
export type FallibleOperation = (typeof FALLIBLE_OPERATIONS)[number];

/**
 * What happens to leases and lock, in the order in which it happens. What a lease's coming or going did to the lock is
 * said with the lease.
 */
export type KeeperEvent =
  | { readonly type: 'lease-acquired'; readonly lease: Lease; readonly recovered: boolean; readonly lock: 'taken' | 'held' }
  | { readonly type: 'lease-renewed'; readonly lease: Lease }
  | { readonly type: 'lease-ended'; readonly lease: EndedLease; readonly lock: 'held' | 'released' | 'lost' }
  | { readonly type: 'lock-released'; readonly heldMs: number }
  /** It may be told a moment later than it happened: who it was has to show first. */
  | { readonly type: 'lock-lost'; readonly cause: LossCause; readonly holders: readonly string[]; readonly atMs: number }
  | { readonly type: 'request-waits'; readonly name: string; readonly refusal: Refusal }
  | { readonly type: 'request-dropped'; readonly name: string }
  | { readonly type: 'refused'; readonly name: string; readonly refusal: Refusal }
  | { readonly type: 'failed'; readonly operation: FallibleOperation; readonly detail: string };

export type KeeperListener = (event: KeeperEvent) => void;
