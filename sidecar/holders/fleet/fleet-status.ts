import type { FleetStateName } from '../../events/event';
import type { FleetNames } from './fleet-memory';
import type { FleetSettings, FleetState } from './fleet-phase';
import { settlesForMs } from './settling';

/** As it is shown. Times are milliseconds of the monotonic clock, unless they say otherwise. */
export interface FleetStatus {
  readonly state: FleetStateName;
  readonly names: FleetNames;
  readonly sinceMs: number;
  readonly turnSinceWallMs: number | null;
  readonly nextAskAtMs: number | null;
  readonly waitsSinceMs: number | null;
  readonly detail: string;
  readonly server: 'reachable' | 'unreachable' | 'not-asked-yet';
}

/** The state in one word, as the interface has it. */
export function nameOf({ phase, memory }: FleetState, settings: FleetSettings, nowMs: number): FleetStateName {
  if (phase.kind === 'idle') return memory.toReturn.length > 0 ? 'returning' : 'idle';
  if (phase.kind !== 'settling' || memory.turn === null || phase.wellSinceMs !== null) return phase.kind;
  return nowMs - phase.sinceMs >= settlesForMs(memory.turn, settings) ? 'unwell' : 'settling';
}

/** What else there is to tell, in words; empty for nothing. */
export function detailOf({ phase }: FleetState, isAllowed: boolean): string {
  switch (phase.kind) {
    case 'idle':
      return isAllowed ? 'updates are allowed without a turn' : '';
    case 'asking':
      return phase.detail;
    case 'turn':
      return phase.isGiven ? '' : 'without a turn, since the server has not answered for too long';
    case 'settling':
      return phase.trouble ?? '';
  }
}
