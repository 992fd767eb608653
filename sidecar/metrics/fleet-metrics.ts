import { Counter, Gauge, type Registry } from 'prom-client';
import { FLEET_STATES, TURN_RESULTS, type SidecarEvent } from '../events/event';
import type { FleetStatus } from '../holders/fleet/fleet-status';

/** The series of a fleet that takes turns. Gauges are read when Prometheus asks. */
export class FleetMetrics {
  readonly #turns: Counter<'result'>;

  /** @param toWallMs the wall time of a monotonic one, both in milliseconds */
  constructor(registry: Registry, status: () => FleetStatus, toWallMs: (monotonicMs: number) => number) {
    const registers = [registry];
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({ name: `update_lock_fleet_${name}`, help, registers, collect() { this.set(read()); } });
    };
    new Gauge({
      name: 'update_lock_fleet_state',
      help: '1 for the present state of the turn of this device.',
      registers,
      labelNames: ['state'],
      collect() {
        const { state } = status();
        for (const each of FLEET_STATES) this.set({ state: each }, Number(each === state));
      },
    });
    gauge('server_up', '1 if the server of the fleet answered when it was last asked; 0 if it was not, or never asked.', () => Number(status().server === 'reachable'));
    gauge('turn_since_timestamp_seconds', 'Since when this device has its turn; 0 without one.', () => (status().turnSinceWallMs ?? 0) / 1000);
    gauge('waiting_since_timestamp_seconds', 'Since when this device waits for its turn; 0 while it does not.', () => {
      const { waitsSinceMs } = status();
      return waitsSinceMs === null ? 0 : toWallMs(waitsSinceMs) / 1000;
    });
    this.#turns = new Counter({ name: 'update_lock_fleet_turns_total', help: 'What became of asking for a turn, and of turns.', registers, labelNames: ['result'] });
    for (const result of TURN_RESULTS) this.#turns.inc({ result }, 0);
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'fleet-turn') this.#turns.inc({ result: event.result });
  }
}
