import { areSameNames, type FleetMemory, type Turn } from './fleet-memory';
import type { FleetFacts, FleetSettings, FleetState, Phase } from './fleet-phase';
import { begun, noted, whileSettling, withHostOs } from './settling';
import { givenUp, paused, withNames } from './turn-end';

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

/** What a former process remembered, at the start. */
export function resumed(memory: FleetMemory, { nowMs, boot }: Pick<FleetFacts, 'nowMs' | 'boot'>): FleetState {
  const { turn } = memory;
  const idle: FleetState = { phase: { kind: 'idle', asksFromMs: nowMs }, memory, idleTurns: 0, idleTarget: null };
  if (turn === null) return idle;
  // Else nothing has begun yet, and perhaps power was cut.
  if (turn.hasBegun || hasRebooted(turn, boot)) return begun(idle, turn, nowMs);
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
  if (asks(facts) && nowMs >= asksFromMs) {
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
  const { nowMs, isUpdating, isKnown, waiting, isDraining, isRebootNear, triesLater, boot, target } = facts;
  const fileSinceMs = isUpdating ? (phase.fileSinceMs ?? nowMs) : null;
  const stands = fileSinceMs !== null && nowMs - fileSinceMs >= STANDS_FOR_MS;
  const isGone = isKnown && waiting.length === 0;
  const { turn: known } = state.memory;
  if (known === null) {
    const isOver = stands || isGone || nowMs - phase.sinceMs >= BEGINS_LATER_WITHIN_MS;
    return isOver ? paused(state, facts, !stands && !isGone) : { ...state, phase: { ...phase, fileSinceMs } };
  }
  const isForReboot = known.isForReboot || waiting.includes('reboot');
  // The update may end this process before it is sure that it has begun.
  const turn = withHostOs(noted(known, { hasBegun: isUpdating, isForReboot, target: target ?? known.target }), facts);
  if (isGone && !isRebootNear) return begun(state, noted(turn, { hasBegun: true, isOver: true }), nowMs);
  if (stands || isGone || hasRebooted(turn, boot)) return begun(state, turn, nowMs);
  const goesOn = isDraining || isRebootNear;
  const memory = turn === known ? state.memory : { ...state.memory, turn };
  const next: FleetState = { ...state, memory, phase: { ...phase, fileSinceMs, sinceMs: goesOn ? nowMs : phase.sinceMs } };
  const limitMs = turn.isForReboot ? REBOOTS_WITHIN_MS : triesLater ? BEGINS_LATER_WITHIN_MS : BEGINS_WITHIN_MS;
  if (goesOn || isUpdating || nowMs - phase.sinceMs < limitMs) return next;
  return paused(givenUp(next, turn), facts, true);
}

/** The reboot that the turn was given for has taken place. */
function hasRebooted(turn: Turn, boot: string): boolean {
  return turn.isForReboot && turn.boot !== boot;
}
