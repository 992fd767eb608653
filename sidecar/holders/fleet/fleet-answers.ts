import { areSameNames, type FleetNames } from './fleet-memory';
import type { FleetFacts, FleetSettings, FleetState } from './fleet-phase';

/** What the answers of the server make of the state of a fleet, as pure functions. */

/** How soon, and how late, a server may have itself asked again. Milliseconds. */
const MIN_RETRY_AFTER_MS = 5000;
const MAX_RETRY_AFTER_MS = 900_000;

/** When to ask again where the server does not say. Milliseconds. */
const RETRY_MS = 30_000;
const MAX_RETRY_MS = 300_000;

/** The answer to a request for a turn. */
export type TurnAnswer =
  | { readonly kind: 'given' }
  /** Without doubt no turn. */
  | { readonly kind: 'refused'; readonly detail: string; readonly retryAfterMs: number | null }
  /** An answer, but a turn may have been given. */
  | { readonly kind: 'unclear'; readonly detail: string; readonly retryAfterMs: number | null }
  | { readonly kind: 'none'; readonly detail: string };

/** The state while a request for the turn is under way: whatever the answer to the one before, this one may be given. */
export function whileAsked(state: FleetState): FleetState {
  const { phase } = state;
  return phase.kind === 'asking' ? { ...state, phase: { ...phase, isRefused: false } } : state;
}

/** The state after an answer to the request for a turn. An answer that comes after the device has stopped asking is of no use: the turn is to be returned. */
export function afterAnswer(state: FleetState, answer: TurnAnswer, facts: FleetFacts, settings: FleetSettings, random: number): FleetState {
  const { phase, memory } = state;
  const { asked: names } = memory;
  if (phase.kind !== 'asking' || names === null) return state;
  const { nowMs, wallMs, waiting, boot, target, os } = facts;
  switch (answer.kind) {
    case 'given': {
      // To a request from before the device stopped asking: that turn is given back first.
      if (memory.toReturn.some((each) => areSameNames(each, names))) return state;
      const turn = { names, sinceWallMs: wallMs, isForReboot: waiting.includes('reboot'), hasBegun: false, isOver: false, target, os, boot };
      return { ...state, phase: { kind: 'turn', sinceMs: nowMs, isGiven: true, fileSinceMs: null }, memory: { ...memory, turn, asked: null } };
    }
    case 'refused':
    case 'unclear': {
      const isTold = answer.retryAfterMs !== null;
      const delayMs = isTold ? told(answer.retryAfterMs, random) : untold(phase.tries, random);
      const next = { ...phase, nextAskAtMs: nowMs + delayMs, tries: isTold ? 0 : phase.tries + 1, goesOnAtMs: null, detail: answer.detail };
      return { ...state, phase: { ...next, isRefused: answer.kind === 'refused' } };
    }
    case 'none': {
      const { maxWaitMs } = settings;
      const goesOnAtMs = phase.goesOnAtMs ?? (maxWaitMs === null ? null : nowMs + maxWaitMs * (1 + random));
      const next = { ...phase, nextAskAtMs: nowMs + untold(phase.tries, random), tries: phase.tries + 1, goesOnAtMs, detail: answer.detail };
      return { ...state, phase: { ...next, isRefused: false } };
    }
  }
}

function told(retryAfterMs: number, random: number): number {
  return Math.min(Math.max(retryAfterMs, MIN_RETRY_AFTER_MS), MAX_RETRY_AFTER_MS) * (1 + random / 10);
}

/** The time to the next attempt, where the server says nothing about it, in milliseconds. */
export function untold(tries: number, random: number): number {
  return Math.min(RETRY_MS * (1 + random) * 2 ** Math.min(tries, 10), MAX_RETRY_MS * (1 - random / 10));
}

/** The state after a turn has been given back, without doubt. */
export function afterReturn(state: FleetState, names: FleetNames): FleetState {
  return { ...state, memory: { ...state.memory, toReturn: state.memory.toReturn.filter((each) => !areSameNames(each, names)) } };
}
