import type { EndedLease } from './lease';

interface RefusalKind {
  /** Of the HTTP answer. */
  readonly status: number;
  readonly title: string;
  /** Whether it passes by itself, so that it makes sense to wait. */
  readonly passes: boolean;
}

/** Every way to refuse a lease. Answers, metrics, the OpenAPI document and the waiting room follow from this table. */
export const REFUSALS = {
  'name-in-use': { status: 409, title: 'The name is in use', passes: false },
  'precondition-failed': { status: 412, title: 'The precondition does not hold', passes: false },
  'updating': { status: 423, title: 'An update is being applied', passes: true },
  'foreign-lock': { status: 423, title: 'Somebody else holds the lock', passes: true },
  'cooldown': { status: 423, title: 'The lock was just lost', passes: true },
  'draining': { status: 423, title: 'An update has waited long enough', passes: true },
  'too-many-leases': { status: 429, title: 'There are too many leases', passes: false },
  'cannot-lock': { status: 503, title: 'The lock cannot be taken', passes: false },
  'stopping': { status: 503, title: 'The sidecar is stopping', passes: false },
} as const satisfies Readonly<Record<string, RefusalKind>>;

export type RefusalCode = keyof typeof REFUSALS;

export const REFUSAL_CODES = Object.keys(REFUSALS) as RefusalCode[];

/** Refusals for a reason of the device rather than of the client: those of status 423, 429 and 503. */
export const REJECTION_CODES = REFUSAL_CODES.filter((code) => REFUSALS[code].status > 422);

/** Why a lease was not granted. `holder` names the holder in the way, if there is one. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly detail: string;
  readonly holder?: string;
  readonly retryAfterMs?: number;
  /** With `precondition-failed`: how the lease that was meant has ended, if that is known. */
  readonly ended?: EndedLease;
}

/** Whether it passes by itself, so that it makes sense to wait. */
export function isPassing({ code }: Refusal): boolean {
  return REFUSALS[code].passes;
}
