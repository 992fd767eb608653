/** Everything that can wait for the lock. Answers, summary, history, deadline and journal follow from this table. */
export const WAITING_THINGS = {
  /** A release of the app. */
  release: { noun: 'update', article: 'an', goesOn: 'the Supervisor starts it by itself' },
  /** After an update of the host OS. */
  reboot: { noun: 'reboot of the host OS', article: 'a', goesOn: 'the host tries it every few seconds' },
} as const satisfies Readonly<Record<string, { readonly noun: string; readonly article: 'a' | 'an'; readonly goesOn: string }>>;

export type WaitingKind = keyof typeof WAITING_THINGS;

export const WAITING_KINDS = Object.keys(WAITING_THINGS) as [WaitingKind, ...WaitingKind[]];

/** Something that cannot go on because of the lock, and since when, in milliseconds of the monotonic clock. */
export interface Waiting {
  readonly what: WaitingKind;
  readonly sinceMs: number;
}

/** The beginning of a sentence on what waits, or has waited: "an update has", or "an update and a reboot of the host OS have". */
export function thingsHave(waiting: readonly Waiting[]): string {
  if (waiting.length === 0) return 'an update has';
  const things = waiting.map(({ what }) => `${WAITING_THINGS[what].article} ${WAITING_THINGS[what].noun}`);
  return `${things.join(' and ')} ${things.length === 1 ? 'has' : 'have'}`;
}

/** How long something has waited for the leases of apps, and whether they are being drained for it. Monotonic milliseconds. */
export interface Waited {
  /** How long it had waited at {@link countingSinceMs}, or has waited altogether if that is null. */
  readonly waitedMs: number;
  /** Since when it waits without a break; null while nothing waits, or not for apps. */
  readonly countingSinceMs: number | null;
  /** When the last leases of apps end; null while they are not being drained. */
  readonly drainEndsAtMs: number | null;
}

/** The notes on what waits, for the next process of this boot. */
export interface UpdateNote {
  /** Everything that waits; also a release that was ready and is being downloaded anew, since a newer one has come. */
  readonly waiting: readonly Waiting[];
  readonly waited: Waited;
}

export const NOT_WAITED: Waited = { waitedMs: 0, countingSinceMs: null, drainEndsAtMs: null };

export const NO_UPDATE: UpdateNote = { waiting: [], waited: NOT_WAITED };

export function waitedAt({ waitedMs, countingSinceMs }: Waited, nowMs: number): number {
  return waitedMs + (countingSinceMs === null ? 0 : nowMs - countingSinceMs);
}

/** Goes on with the count, or stops it, from now on. */
export function counting(waited: Waited, isCounting: boolean, nowMs: number): Waited {
  if (isCounting === (waited.countingSinceMs !== null)) return waited;
  return { ...waited, waitedMs: waitedAt(waited, nowMs), countingSinceMs: isCounting ? nowMs : null };
}
