import type { WaitingKind } from '../../leases/waiting';
import type { Turn } from './fleet-memory';
import type { DeviceReading } from './fleet-options';
import type { FleetFacts, FleetSettings, FleetState, Phase } from './fleet-phase';
import { givenUp, paused } from './turn-end';

/** After an update a device settles until it has been well for long enough. Pure, as all of the state machine. */

/** A new host OS may roll itself back for this long after its first boot (meta-balena `rollback-health`). Milliseconds. */
const ROLLS_BACK_WITHIN_MS = 1_200_000;

export function begun(state: FleetState, turn: Turn, nowMs: number): FleetState {
  const phase = { kind: 'settling', sinceMs: nowMs, wellSinceMs: null, trouble: null } as const;
  return { ...state, phase, idleTurns: 0, idleTarget: null, memory: { ...state.memory, turn } };
}

export function whileSettling(state: FleetState, phase: Phase & { kind: 'settling' }, facts: FleetFacts, settings: FleetSettings): FleetState {
  const { nowMs, isUpdating, target } = facts;
  const { turn } = state.memory;
  if (turn === null) return paused(state, facts, false);
  const seen = withHostOs(turn, facts);
  // Also another update, which the lock is free for.
  if (isUpdating) return { ...remembering(state, noted(seen, { hasBegun: true, isOver: false, target })), phase: { ...phase, sinceMs: nowMs, wellSinceMs: null } };
  const next = remembering(state, seen);
  if (phase.wellSinceMs === null || nowMs - phase.wellSinceMs < settlesForMs(seen, settings)) return next;
  return paused(givenUp(next, seen), facts, false);
}

/** How long a device has to be well before its turn is given back, in milliseconds. */
export function settlesForMs({ isForReboot }: Pick<Turn, 'isForReboot'>, { settleMs }: Pick<FleetSettings, 'settleMs'>): number {
  return isForReboot ? Math.max(settleMs, ROLLS_BACK_WITHIN_MS) : settleMs;
}

/** The state after a reading of how the device is. */
export function afterReading(state: FleetState, { waiting, trouble }: DeviceReading, facts: FleetFacts): FleetState {
  const { phase, memory: { turn } } = state;
  if (phase.kind !== 'settling' || turn === null) return state;
  const stillWaits = waiting === null || waiting.some((what) => isOf(turn, what, facts));
  const isOver = turn.isOver || !stillWaits;
  const wrong = trouble ?? (isOver ? null : 'the update still waits');
  const next = remembering(state, noted(turn, { isOver }));
  return { ...next, phase: { ...phase, trouble: wrong, wellSinceMs: wrong === null ? (phase.wellSinceMs ?? facts.nowMs) : null } };
}

/** Whether something that waits may be what the turn was given for, rather than a later update, which needs a turn of its own. */
function isOf(turn: Turn, what: WaitingKind, { boot, target, runs, isBlocked }: FleetFacts): boolean {
  if (what === 'reboot') return turn.isForReboot && turn.boot === boot;
  // The device has booted for the host OS, and the release has not begun: it may have to wait for long.
  if (!turn.hasBegun && isBlocked) return false;
  const isAnother = target !== null && turn.target !== null && target !== turn.target && runs === turn.target;
  return !isAnother;
}

/** The turn, and whether the host OS is another than when it was given: a reboot does not have to wait while the lock is free, so nobody may have seen it coming. */
export function withHostOs(turn: Turn, { os }: Pick<FleetFacts, 'os'>): Turn {
  if (os === null) return turn;
  return noted(turn, { os: turn.os ?? os, isForReboot: turn.isForReboot || (turn.os !== null && os !== turn.os) });
}

/** The same object if nothing changes: each change is written down. */
export function noted(turn: Turn, change: Partial<Turn>): Turn {
  const isSame = (Object.keys(change) as (keyof Turn)[]).every((key) => change[key] === turn[key]);
  return isSame ? turn : { ...turn, ...change };
}

function remembering(state: FleetState, turn: Turn): FleetState {
  return turn === state.memory.turn ? state : { ...state, memory: { ...state.memory, turn } };
}
