import type { Lease, LeaseKind } from './lease';

/** What somebody asks of the keeper. */
export interface AcquireRequest {
  readonly name: string;
  readonly kind: LeaseKind;
  /** Milliseconds from now, null for a lease without an end; undefined keeps a live lease's own, or takes the default. */
  readonly ttlMs: number | null | undefined;
  /** Undefined keeps a live lease's own. */
  readonly reason: string | undefined;
  readonly peer: string;
  /** Only if there is no live lease of that name, or only if there is one. */
  readonly only?: 'new' | 'renewal' | undefined;
}

/** Why a lease was not granted. `holder` names who is in the way, where somebody is. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly detail: string;
  readonly holder?: string;
  readonly retryAfterMs?: number;
}

export type RefusalCode =
  | 'name-in-use'
  | 'precondition-failed'
  | 'updating'
  | 'foreign-lock'
  | 'cooldown'
  | 'draining'
  | 'too-many-leases'
  | 'cannot-lock'
  | 'stopping';

export type Outcome =
  | { readonly kind: 'granted'; readonly lease: Lease; readonly isNew: boolean }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export function refused(refusal: Refusal): Outcome {
  return { kind: 'refused', refusal };
}

/** Refusals that pass by themselves, so that it makes sense to wait. */
const PASSING: ReadonlySet<RefusalCode> = new Set<RefusalCode>(['updating', 'foreign-lock', 'cooldown', 'draining']);

export function isPassing({ code }: Refusal): boolean {
  return PASSING.has(code);
}
