import type { UpdateStatus } from './update-status';

export const REQUEST_KINDS = ['retry', 'force'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/**
 * What has become of asking the Supervisor for an update. `ignored`: instant updates are off, so it waits for its own time;
 * `unconfirmed`: the lock was taken again before that could be told from success.
 */
export const REQUEST_RESULTS = ['accepted', 'ignored', 'unconfirmed', 'failed'] as const;
export type RequestResult = (typeof REQUEST_RESULTS)[number];

export type UpdateEvent =
  /** Something of what is known has changed; `turn` if an update now waits, or no longer does. */
  | { readonly type: 'update-changed'; readonly status: UpdateStatus; readonly turn: 'waits' | 'over' | null }
  | { readonly type: 'supervisor-reached' }
  | { readonly type: 'supervisor-missed'; readonly problem: string }
  | { readonly type: 'update-requested'; readonly kind: RequestKind; readonly result: RequestResult; readonly detail: string }
  /** Somebody wanted an update, but the Supervisor cannot be asked. */
  | { readonly type: 'update-refused'; readonly peer: string; readonly problem: string }
  /** Somebody is about to force an update: these leases will be lost. */
  | { readonly type: 'update-forced'; readonly peer: string; readonly holders: readonly string[] };
