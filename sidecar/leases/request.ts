import type { EndedLease, Lease, LeaseKind } from './lease';
import type { Refusal } from './refusal-codes';

/** A request for a lease. */
export interface AcquireRequest {
  readonly name: string;
  readonly kind: LeaseKind;
  /** Milliseconds from now, null for a lease without an end; undefined keeps a live lease's own, or takes the default. */
  readonly ttlMs: number | null | undefined;
  /** Undefined keeps a live lease's own. */
  readonly reason: string | undefined;
  readonly peer: string;
  readonly only?: Precondition | undefined;
}

/** Only if there is no live lease of that name, only if there is one, or only if that is one with such an id. */
export type Precondition = 'new' | 'renewal' | { readonly ids: readonly string[] };

/** Whether the request is for one certain lease. */
export function namesIds({ only }: AcquireRequest): boolean {
  return typeof only === 'object';
}

/** Whether a live lease is as the precondition wants it. */
export function isWanted({ id }: Lease, only: Precondition): boolean {
  return typeof only === 'object' ? only.ids.includes(id) : only === 'renewal';
}

export type Outcome =
  | { readonly kind: 'granted'; readonly lease: Lease; readonly isNew: boolean }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The outcome of a request to release a lease. */
export type Release =
  | { readonly kind: 'ended'; readonly lease: EndedLease }
  /** There is none of that name. */
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export function refused(refusal: Refusal): Outcome {
  return { kind: 'refused', refusal };
}
