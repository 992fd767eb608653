/** Who gets the next turn: pure, with no clock, no store and no network. Times are milliseconds of the wall clock. */

/** A device as it introduces itself. */
export interface Device {
  readonly id: string;
  /** Tells two devices with one id apart, a copied card for one; null where a client does not send it. */
  readonly instance: string | null;
}

export interface Holder extends Device {
  readonly sinceMs: number;
}

export interface Waiter {
  readonly id: string;
  /** When it first asked. */
  readonly sinceMs: number;
  /** When it last asked; null if that is not known. */
  readonly lastAskedMs: number | null;
  /** From when on it is passed over, unless it asks again. */
  readonly silentFromMs: number;
}

export interface Group {
  readonly name: string;
  readonly slots: number;
  readonly paused: boolean;
  readonly holders: ReadonlyMap<string, Holder>;
  /** In the order of first asking. */
  readonly waiting: ReadonlyMap<string, Waiter>;
}

export const REFUSALS = ['all_slots_full', 'paused', 'not_your_turn', 'other_instance'] as const;
export type Refusal = (typeof REFUSALS)[number];

export type Decision =
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'granted' }
  | {
      readonly kind: 'refused';
      readonly code: Refusal;
      /** A multiple of a second. */
      readonly retryAfterMs: number;
      /** How long its place in the queue counts if it does not ask again; null if it gets none. */
      readonly silentAfterMs: number | null;
    };

/** How long a waiter that does not ask any more keeps its place: longer than any window stays closed. */
export const PLACE_KEPT_MS = 7 * 86_400_000;

/** A waiter is passed over once it has been silent for so many times its `Retry-After`: one lost request must not cost it its turn. */
const SILENT_AFTER_ASKS = 3;

/**
 * When to ask again. The first step is for the front of the queue, twice as many devices as there are slots, and each further step for as many
 * behind them. A free slot is then taken within seconds, and 10,000 devices that wait cost about 35 requests a second.
 */
const PACES_MS = [10_000, 30_000, 90_000, 300_000] as const;
const SLOWEST_PACE_MS = 300_000;

/** What to answer to a device that asks for a turn. */
export function decide(group: Group, asker: Device, nowMs: number): Decision {
  const holder = group.holders.get(asker.id);
  if (holder !== undefined) return isSameDevice(holder, asker) ? { kind: 'confirmed' } : refuse('other_instance', SLOWEST_PACE_MS, null);
  const ahead = waitersAhead(group, asker.id, nowMs);
  const free = group.slots - group.holders.size;
  if (!group.paused && ahead.length < free) return { kind: 'granted' };
  const paceMs = paceAt(ahead.length, group.slots);
  if (group.paused || free <= 0) return refuse(group.paused ? 'paused' : 'all_slots_full', paceMs, paceMs);
  return refuse('not_your_turn', untilPassed(ahead, free, paceMs, nowMs), paceMs);
}

/** Whether the turn is that of this device. One that says nothing of its instance is another than one that does. */
export function isSameDevice(holder: Device, device: Device): boolean {
  return holder.id === device.id && holder.instance === device.instance;
}

/** Those that are before that device in the queue and still ask. */
function waitersAhead({ waiting }: Group, id: string, nowMs: number): Waiter[] {
  const ahead: Waiter[] = [];
  for (const waiter of waiting.values()) {
    if (waiter.id === id) break;
    if (waiter.silentFromMs > nowMs) ahead.push(waiter);
  }
  return ahead;
}

/**
 * When to ask again while slots are free, but others have asked before: just when so many of them are passed over that one is left, if they
 * have died. In equal steps, so that none is shorter than half of the pace: devices wait for 5 s at least.
 */
function untilPassed(ahead: readonly Waiter[], free: number, paceMs: number, nowMs: number): number {
  const passedAtMs = ahead.map(({ silentFromMs }) => silentFromMs).sort((a, b) => a - b)[ahead.length - free] ?? Infinity;
  if (passedAtMs === Infinity) return paceMs;
  const leftMs = passedAtMs - nowMs;
  return Math.ceil(leftMs / Math.ceil(leftMs / paceMs) / 1000) * 1000;
}

function paceAt(position: number, slots: number): number {
  const front = Math.max(2, 2 * slots);
  return PACES_MS[Math.floor(position / front)] ?? SLOWEST_PACE_MS;
}

/** @param paceMs that of its place in the queue; null if it gets none */
function refuse(code: Refusal, retryAfterMs: number, paceMs: number | null): Decision {
  return { kind: 'refused', code, retryAfterMs, silentAfterMs: paceMs === null ? null : SILENT_AFTER_ASKS * paceMs };
}

/** Whether somebody has had a turn for so long that a person has to look. */
export function isStale(holder: Holder, staleAfterMs: number, nowMs: number): boolean {
  return nowMs - holder.sinceMs >= staleAfterMs;
}

/** How many wait and still ask. */
export function countAsking({ waiting }: Group, nowMs: number): number {
  return [...waiting.values()].filter(({ silentFromMs }) => silentFromMs > nowMs).length;
}
