/** A text must have stayed the same for this long before it is written, in milliseconds: an app that comes and goes costs no traffic. */
export const SETTLES_AFTER_MS = 30_000;

/** The time between two attempts to write, in milliseconds, failed ones included. */
export const BETWEEN_WRITES_MS = 300_000;

/** The text of a tag, as it was and is. Times are milliseconds of the monotonic clock. */
export interface TagState {
  /** The text that was written last; null for none. */
  readonly written: string | null;
  /** The last attempt to write, null for none. */
  readonly triedAtMs: number | null;
  /** The text at the last look, and since when it has been that. */
  readonly seen: string | null;
  readonly seenSinceMs: number;
}

export const NOTHING_WRITTEN: TagState = { written: null, triedAtMs: null, seen: null, seenSinceMs: 0 };

/** The text as it is now; urgent if an update waits and is held back. */
export interface TagLook {
  readonly text: string;
  readonly isUrgent: boolean;
  readonly nowMs: number;
}

/** When to write the text, in milliseconds from now; 0 for now, null if it is written already. */
export type WriteIn = number | null;

/** Decides when a text is written: once it has changed, has settled or is urgent, and the last attempt is long enough ago. */
export function afterLook(state: TagState, { text, isUrgent, nowMs }: TagLook): { readonly state: TagState; readonly writeInMs: WriteIn } {
  const seenSinceMs = text === state.seen ? state.seenSinceMs : nowMs;
  const next = { ...state, seen: text, seenSinceMs };
  if (text === state.written) return { state: next, writeInMs: null };
  const settlesAtMs = isUrgent ? nowMs : seenSinceMs + SETTLES_AFTER_MS;
  const mayWriteAtMs = state.triedAtMs === null ? nowMs : state.triedAtMs + BETWEEN_WRITES_MS;
  const writeInMs = Math.max(0, settlesAtMs - nowMs, mayWriteAtMs - nowMs);
  return { state: writeInMs === 0 ? { ...next, triedAtMs: nowMs } : next, writeInMs };
}
