import { areSameNames, type FleetNames, type Turn } from './fleet-memory';
import type { FleetFacts, FleetState } from './fleet-phase';

/** After a turn in which nothing began the device waits this long before it asks again, and longer each time. Milliseconds. */
const PAUSE_MS = 300_000;
const MAX_PAUSE_MS = 3_600_000;

/** The turn is to be given back. */
export function givenUp(state: FleetState, { names }: Turn): FleetState {
  return { ...state, memory: { ...state.memory, turn: null, toReturn: withNames(state.memory.toReturn, names) } };
}

/** @param isInVain whether nothing has begun, so that it is not asked again for a while */
export function paused(state: FleetState, { nowMs, target }: FleetFacts, isInVain: boolean): FleetState {
  const idleTurns = isInVain ? state.idleTurns + 1 : 0;
  const asksFromMs = nowMs + Math.min(idleTurns * PAUSE_MS, MAX_PAUSE_MS);
  return { ...state, idleTurns, idleTarget: isInVain ? target : null, phase: { kind: 'idle', asksFromMs } };
}

export function withNames(list: readonly FleetNames[], names: FleetNames): FleetNames[] {
  return [...list.filter((each) => !areSameNames(each, names)), names];
}
