import type { FleetEvent, FleetStateName } from './event';
import type { Describers } from './event-texts';

const STATES: Readonly<Record<FleetStateName, string>> = {
  off: 'The fleet takes no turns',
  idle: 'This device wants no turn',
  asking: 'This device asks for its turn',
  turn: 'This device has its turn',
  settling: 'This device has to be well for a while before it gives its turn back',
  unwell: 'This device is not well, and keeps its turn',
  returning: 'This device gives its turn back',
};

/** One description of each event of a fleet that takes turns. */
export const FLEET_DESCRIBERS: Describers<FleetEvent> = {
  'fleet-changed': ({ state, detail }) => ({
    level: state === 'unwell' ? 'warn' : 'info',
    message: `fleet: ${state}`,
    fields: detail === '' ? {} : { detail },
    history: { event: 'fleet-changed', text: STATES[state], detail },
  }),
  'fleet-turn': ({ result, detail }) => ({
    level: result === 'without_turn' || result === 'nothing_began' ? 'warn' : 'debug',
    message: 'turn of the fleet',
    fields: { result, detail },
    history: result === 'without_turn' ? { event: 'fleet-turn', text: 'This device goes on without a turn', detail } : null,
  }),
  'fleet-missed': ({ problem }) => ({
    level: 'warn',
    message: "fleet's server unreachable",
    fields: { detail: problem },
    history: { event: 'fleet-missed', text: 'The server of the fleet cannot be reached', detail: problem },
  }),
  'fleet-reached': () => ({
    level: 'info',
    message: "fleet's server reachable again",
    history: { event: 'fleet-reached', text: 'The server of the fleet answers again' },
  }),
};
