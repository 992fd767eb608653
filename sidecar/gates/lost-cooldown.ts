import type { Gate } from '../leases/gate';

/**
 * After a loss nobody gets the lock for a while: a forced update removes our file and makes its own a moment later, and
 * fails if somebody takes the name in between.
 */
export function lostCooldown(cooldownMs: number): Gate {
  return ({ nowMs, lostAtMs }) => {
    if (lostAtMs === null || nowMs >= lostAtMs + cooldownMs) return null;
    return {
      code: 'cooldown',
      detail: 'The lock was just taken away from outside; no lease is granted until a forced update has got through.',
      opensAtMs: lostAtMs + cooldownMs,
    };
  };
}
