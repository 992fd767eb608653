import type { WaitingKind } from '../../leases/waiting';
import { areSameNames, type FleetMemory, type FleetNames, type Turn } from './fleet-memory';

/**
 * The turns of a fleet, as a pure state machine: what a device does about its turn, by what it sees, the answers of the server and time.
 * Times are milliseconds of the monotonic clock, unless they say otherwise.
 */

/** In a turn something has to begin within this time, or it is given back. Milliseconds. */
const BEGINS_WITHIN_MS = 120_000;

/** The same where the Supervisor cannot be made to try now: it tries at its own time. Milliseconds. */
const BEGINS_LATER_WITHIN_MS = 1_200_000;

/** The same for a reboot of the host OS. Milliseconds. */
const REBOOTS_WITHIN_MS = 600_000;

/** A file of the Supervisor that goes sooner than this was an attempt, which the lock of another service has ended. Milliseconds. */
const STANDS_FOR_MS = 2000;

/** A new host OS may roll itself back for this long after its first boot (meta-balena `rollback-health`). Milliseconds. */
const ROLLS_BACK_WITHIN_MS = 1_200_000;

/** After a turn in which nothing began the device waits this long before it asks again, and longer each time. Milliseconds. */
const PAUSE_MS = 300_000;
const MAX_PAUSE_MS = 3_600_000;

export type Phase =
  | { readonly kind: 'idle'; readonly asksFromMs: number }
  | {
      readonly kind: 'asking';
      readonly sinceMs: number;
      readonly nextAskAtMs: number;
      /** Since the server last said when to ask again. */
      readonly tries: number;
      /** The last answer was a refusal without doubt, so there is no turn to give back. */
      readonly isRefused: boolean;
      /** When to go on without a turn, since there is no answer at all; null while there is one, or if that is never done. */
      readonly goesOnAtMs: number | null;
      /** What the server, or the attempt to ask it, says; empty before the first answer. */
      readonly detail: string;
    }
  /** The lock is free for the update. Without a turn of the server's if that could not be asked. */
  | {
      readonly kind: 'turn';
      readonly sinceMs: number;
      readonly isGiven: boolean;
      /** Since when the Supervisor's file is there; null if it is not. */
      readonly fileSinceMs: number | null;
    }
  | {
      readonly kind: 'settling';
      readonly sinceMs: number;
      /** Since when each reading has found the device well; null if the last one has not. */
      readonly wellSinceMs: number | null;
      /** A reading has found that nothing waits: what waits from then on is another update. */
      readonly isOver: boolean;
      /** What is not well; null if nothing is wrong, or before the first reading. */
      readonly trouble: string | null;
    };

export interface FleetState {
  readonly phase: Phase;
  readonly memory: FleetMemory;
  /** How many turns in a row have gone by without anything beginning. */
  readonly idleTurns: number;
  /** The release, by its commit, that the device was to have in the last of them; null for none, or if that is not known. */
  readonly idleTarget: string | null;
}

/** What a device sees of itself. */
export interface FleetFacts {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly boot: string;
  readonly waiting: readonly WaitingKind[];
  /** The release that the device is to have, by its commit; null if that is not known. */
  readonly target: string | null;
  /** Whether the host OS reboots, or is to reboot once another service has given back its lock. */
  readonly isRebootNear: boolean;
  /** Whether it is known what waits: before the Supervisor has answered nothing is. */
  readonly isKnown: boolean;
  /** Whether another lease holds the lock, one that an update has to wait for. */
  readonly isBlocked: boolean;
  /** Whether the Supervisor or Helios has the lock. */
  readonly isUpdating: boolean;
  /** Whether somebody allows updates, so that no turn is needed. */
  readonly isAllowed: boolean;
  /** Whether apps are being drained, which takes its time. */
  readonly isDraining: boolean;
  /** Whether the Supervisor could not be made to try now. */
  readonly triesLater: boolean;
}

export interface FleetSettings {
  readonly names: FleetNames;
  readonly settleMs: number;
  /** Null for never. */
  readonly maxWaitMs: number | null;
}

/** What a former process remembered, at the start. */
export function resumed(memory: FleetMemory, { nowMs, boot }: Pick<FleetFacts, 'nowMs' | 'boot'>): FleetState {
  const { turn } = memory;
  const idle: FleetState = { phase: { kind: 'idle', asksFromMs: nowMs }, memory, idleTurns: 0, idleTarget: null };
  if (turn === null) return idle;
  // A boot in between is the reboot that the turn was for, or a power cut in the middle of the update.
  if (turn.hasBegun || turn.boot !== boot) return begun(idle, turn, nowMs, boot);
  return { ...idle, phase: { kind: 'turn', sinceMs: nowMs, isGiven: true, fileSinceMs: null } };
}

/** Whether the lock is to be held for want of a turn. */
export function holdsLock({ phase }: FleetState, { isAllowed }: Pick<FleetFacts, 'isAllowed'>): boolean {
  return !isAllowed && (phase.kind === 'idle' || phase.kind === 'asking');
}

/** When a phase may come to something by itself, in monotonic milliseconds. */
export function timesOf(phase: Phase): number[] {
  if (phase.kind === 'idle') return [phase.asksFromMs];
  if (phase.kind === 'asking') return [phase.nextAskAtMs, phase.goesOnAtMs ?? Infinity];
  return phase.kind === 'turn' && phase.fileSinceMs !== null ? [phase.fileSinceMs + STANDS_FOR_MS] : [];
}

/** The state after time has gone by, and things have happened on the device. */
export function afterLook(state: FleetState, facts: FleetFacts, settings: FleetSettings): FleetState {
  const { phase } = state;
  switch (phase.kind) {
    case 'idle':
      return whileIdle(state, phase, facts, settings);
    case 'asking':
      if (!asks(facts)) return stopped(state, facts.nowMs);
      if (phase.goesOnAtMs === null || facts.nowMs < phase.goesOnAtMs) return state;
      return { ...stopped(state, facts.nowMs), phase: { kind: 'turn', sinceMs: facts.nowMs, isGiven: false, fileSinceMs: null } };
    case 'turn':
      return inTurn(state, phase, facts);
    case 'settling':
      return whileSettling(state, phase, facts, settings);
  }
}

/** Before a device asks, it remembers that it does: the answer may be lost. */
function whileIdle(state: FleetState, { asksFromMs }: Phase & { kind: 'idle' }, facts: FleetFacts, settings: FleetSettings): FleetState {
  const { memory } = state;
  const { names } = settings;
  const { nowMs, isKnown, target } = facts;
  // What has kept another release from beginning may not be in the way of this one.
  const isAnother = target !== null && state.idleTarget !== null && target !== state.idleTarget;
  if (isAnother) return whileIdle({ ...state, idleTurns: 0, idleTarget: null }, { kind: 'idle', asksFromMs: nowMs }, facts, settings);
  // What would be given now could be given back by the request that is still to be sent.
  const isReturning = memory.toReturn.some((each) => areSameNames(each, names));
  if (asks(facts) && nowMs >= asksFromMs && !isReturning) {
    const { asked } = memory;
    const toReturn = asked === null || areSameNames(asked, names) ? memory.toReturn : [...memory.toReturn, asked];
    const phase = { kind: 'asking', sinceMs: nowMs, nextAskAtMs: nowMs, tries: 0, isRefused: false, goesOnAtMs: null, detail: '' } as const;
    return { ...state, phase, memory: { ...memory, asked: names, toReturn } };
  }
  // A former process has asked, and there is nothing to ask for any more.
  const idle: FleetState = { ...state, phase: { kind: 'idle', asksFromMs } };
  return isKnown && memory.asked !== null && !asks(facts) ? stopped(idle, asksFromMs) : idle;
}

/** Asks last: only once nothing else holds back what waits. */
function asks({ waiting, isBlocked, isUpdating, isAllowed }: FleetFacts): boolean {
  return waiting.length > 0 && !isBlocked && !isUpdating && !isAllowed;
}

function stopped({ phase, memory, ...rest }: FleetState, asksFromMs: number): FleetState {
  const isRefused = phase.kind === 'asking' && phase.isRefused;
  const toReturn = memory.asked === null || isRefused ? memory.toReturn : withNames(memory.toReturn, memory.asked);
  return { ...rest, phase: { kind: 'idle', asksFromMs }, memory: { ...memory, asked: null, toReturn } };
}

function inTurn(state: FleetState, phase: Phase & { kind: 'turn' }, facts: FleetFacts): FleetState {
  const { nowMs, isUpdating, isKnown, waiting, isDraining, isRebootNear, triesLater, boot } = facts;
  const fileSinceMs = isUpdating ? (phase.fileSinceMs ?? nowMs) : null;
  const hasBegun = (isKnown && waiting.length === 0) || (fileSinceMs !== null && nowMs - fileSinceMs >= STANDS_FOR_MS);
  const { turn } = state.memory;
  if (turn === null) {
    const isOver = hasBegun || nowMs - phase.sinceMs >= BEGINS_LATER_WITHIN_MS;
    return isOver ? paused(state, facts, !hasBegun) : { ...state, phase: { ...phase, fileSinceMs } };
  }
  // The update may end this process before it is sure that it has begun.
  const isForReboot = turn.isForReboot || waiting.includes('reboot');
  const isAsBefore = turn.hasBegun === isUpdating && turn.isForReboot === isForReboot;
  const noted = isAsBefore ? turn : { ...turn, hasBegun: isUpdating, isForReboot };
  const memory = isAsBefore ? state.memory : { ...state.memory, turn: noted };
  if (hasBegun) return begun({ ...state, memory }, noted, nowMs, boot);
  const goesOn = isDraining || isRebootNear;
  const next: FleetState = { ...state, memory, phase: { ...phase, fileSinceMs, sinceMs: goesOn ? nowMs : phase.sinceMs } };
  const limitMs = isForReboot ? REBOOTS_WITHIN_MS : triesLater ? BEGINS_LATER_WITHIN_MS : BEGINS_WITHIN_MS;
  if (goesOn || isUpdating || nowMs - phase.sinceMs < limitMs) return next;
  return paused(givenUp(next, noted), facts, true);
}

function begun(state: FleetState, turn: Turn, nowMs: number, boot: string): FleetState {
  const phase = { kind: 'settling', sinceMs: nowMs, wellSinceMs: null, isOver: false, trouble: null } as const;
  return { ...state, phase, idleTurns: 0, idleTarget: null, memory: { ...state.memory, turn: { ...turn, hasBegun: true, boot } } };
}

function givenUp(state: FleetState, { names }: Turn): FleetState {
  return { ...state, memory: { ...state.memory, turn: null, toReturn: withNames(state.memory.toReturn, names) } };
}

/** @param isInVain whether nothing has begun, so that it is not asked again for a while */
function paused(state: FleetState, { nowMs, target }: FleetFacts, isInVain: boolean): FleetState {
  const idleTurns = isInVain ? state.idleTurns + 1 : 0;
  const asksFromMs = nowMs + Math.min(idleTurns * PAUSE_MS, MAX_PAUSE_MS);
  return { ...state, idleTurns, idleTarget: isInVain ? target : null, phase: { kind: 'idle', asksFromMs } };
}

function whileSettling(state: FleetState, phase: Phase & { kind: 'settling' }, facts: FleetFacts, settings: FleetSettings): FleetState {
  const { nowMs, isUpdating } = facts;
  const { turn } = state.memory;
  if (turn === null) return paused(state, facts, false);
  if (isUpdating) return { ...state, phase: { ...phase, sinceMs: nowMs, wellSinceMs: null, isOver: false } };
  if (phase.wellSinceMs === null || nowMs - phase.wellSinceMs < settlesForMs(turn, settings)) return state;
  return paused(givenUp(state, turn), facts, false);
}

/** How long a device has to be well before its turn is given back, in milliseconds. */
export function settlesForMs({ isForReboot }: Pick<Turn, 'isForReboot'>, { settleMs }: Pick<FleetSettings, 'settleMs'>): number {
  return isForReboot ? Math.max(settleMs, ROLLS_BACK_WITHIN_MS) : settleMs;
}

/** The state after a reading of how the device is. */
export function afterReading(state: FleetState, { waits, trouble }: { readonly waits: boolean; readonly trouble: string | null }, nowMs: number): FleetState {
  const { phase } = state;
  if (phase.kind !== 'settling') return state;
  const isOver = phase.isOver || !waits;
  const wrong = trouble ?? (isOver ? null : 'the update still waits');
  return { ...state, phase: { ...phase, isOver, trouble: wrong, wellSinceMs: wrong === null ? (phase.wellSinceMs ?? nowMs) : null } };
}

function withNames(list: readonly FleetNames[], names: FleetNames): FleetNames[] {
  return [...list.filter((each) => !areSameNames(each, names)), names];
}
