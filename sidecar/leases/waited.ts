/** How long an update has waited for the leases of apps, and whether they are being drained for it. Monotonic milliseconds. */
export interface Waited {
  /** How long it had waited at {@link countingSinceMs}, or has waited altogether if that is null. */
  readonly waitedMs: number;
  /** Since when it waits without a break; null while it does not wait, or not for apps. */
  readonly countingSinceMs: number | null;
  /** When the last leases of apps end; null while they are not being drained. */
  readonly drainEndsAtMs: number | null;
}

/** The notes on an update, for the next process of this boot. */
export interface UpdateNote {
  /** Since when it waits, in monotonic milliseconds; null if none does. */
  readonly waitsSinceMs: number | null;
  readonly waited: Waited;
}

export const NOT_WAITED: Waited = { waitedMs: 0, countingSinceMs: null, drainEndsAtMs: null };

export const NO_UPDATE: UpdateNote = { waitsSinceMs: null, waited: NOT_WAITED };

export function waitedAt({ waitedMs, countingSinceMs }: Waited, nowMs: number): number {
  return waitedMs + (countingSinceMs === null ? 0 : nowMs - countingSinceMs);
}

/** Goes on with the count, or stops it, from now on. */
export function counting(waited: Waited, isCounting: boolean, nowMs: number): Waited {
  if (isCounting === (waited.countingSinceMs !== null)) return waited;
  return { ...waited, waitedMs: waitedAt(waited, nowMs), countingSinceMs: isCounting ? nowMs : null };
}
