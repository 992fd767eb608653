import type { WaitingKind } from '../../leases/waiting';
import { leftMs, type Now, type Soak } from './soak';

/**
 * For how long the lock is held while the Supervisor does not say which release the device is to have, in milliseconds. An API that is
 * out of reach for good must not keep the device from updates for good; a Supervisor that restarts is back long before.
 */
export const WITHOUT_ANSWER_MS = 15 * 60_000;

export interface Situation {
  /** Null if no release was ever seen. */
  readonly soak: Soak | null;
  readonly requiredMs: number;
  readonly now: Now;
  /** The kinds of things that wait for the lock, as of the last answer that also said which release the device is to have. */
  readonly waiting: readonly WaitingKind[];
  /** For how long there has been no such answer, in milliseconds; null while there is one. */
  readonly withoutAnswerMs: number | null;
  /** Somebody has allowed updates. */
  readonly isAllowed: boolean;
  /** The Supervisor is too old for releases to soak. */
  readonly isTooOld: boolean;
}

/**
 * Whether `@soak` holds the lock, and why. `idle`: nothing waits. The lock is held then too: otherwise the Supervisor could apply a
 * release before we have seen it.
 */
export type Decision =
  | { readonly holds: true; readonly because: 'soaking'; readonly leftMs: number }
  | { readonly holds: true; readonly because: 'idle' }
  | { readonly holds: false; readonly because: 'allowed' | 'reboot' | 'soaked' }
  | { readonly holds: boolean; readonly because: 'unknown' };

export function decide({ soak, requiredMs, now, waiting, withoutAnswerMs, isAllowed, isTooOld }: Situation): Decision {
  if (isAllowed) return { holds: false, because: 'allowed' };
  if (isTooOld) return { holds: false, because: 'unknown' };
  if (waiting.length === 1 && waiting[0] === 'reboot') return { holds: false, because: 'reboot' };
  const soaksForMs = soak === null ? 0 : leftMs(soak, requiredMs, now);
  // Its end is known, so it may also be waited for without an answer.
  if (soaksForMs > 0) return { holds: true, because: 'soaking', leftMs: soaksForMs };
  // A Supervisor that is slow for a moment may be applying it.
  if (soak !== null && waiting.includes('release')) return { holds: false, because: 'soaked' };
  if (withoutAnswerMs === null) return { holds: true, because: 'idle' };
  return { holds: withoutAnswerMs < WITHOUT_ANSWER_MS, because: 'unknown' };
}
