import { randomUUID } from 'node:crypto';
import type { SidecarEvent } from '../../events/event';
import type { LeasePolicies } from '../../leases/policies';
import type { StateDirectory } from '../../state/state-directory';
import type { Allowances } from '../allowances';
import { WantedLease, type LeaseKeeper } from '../wanted-lease';
import { NOTHING_REMEMBERED, parseStoredFleet, type FleetMemory, type StoredFleet } from './fleet-memory';

export const FLEET_LEASE = '@fleet';

/** In the state directory. */
const FILE = 'fleet';

const NO_TURN = 'this device has no turn';

export interface FleetHolderOptions {
  readonly keeper: LeaseKeeper;
  readonly policies: LeasePolicies;
  readonly allowances: Pick<Allowances, 'current'>;
  readonly state: Pick<StateDirectory, 'read' | 'write'>;
}

/**
 * The lease that holds the lock for as long as this device has no turn, from the start on, and the memory of the turns. What to do about
 * a turn is decided elsewhere, once there is more to decide by.
 */
export class FleetHolder {
  readonly #lease: WantedLease;
  #stored: StoredFleet;

  constructor(private readonly options: FleetHolderOptions) {
    const { keeper, policies, state } = options;
    this.#lease = new WantedLease(keeper, FLEET_LEASE);
    this.#stored = state.read(FILE, parseStoredFleet) ?? { version: 1, instance: randomUUID(), memory: NOTHING_REMEMBERED };
    // How long an update waits for a turn is up to the fleet: the deadline is for the apps.
    policies.register(FLEET_LEASE, { survivesDrain: true, deadline: 'ignored', end: () => ({ atWallMs: null, event: 'this device is given a turn' }) });
  }

  /** Tells this device from another with the same id; kept for ever. */
  get instance(): string {
    return this.#stored.instance;
  }

  get memory(): FleetMemory {
    return this.#stored.memory;
  }

  /** Whether the lock is held for want of a turn. */
  get isHeld(): boolean {
    return this.options.keeper.get(FLEET_LEASE) !== undefined;
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'store-opened' && this.memory.turn === null && this.options.allowances.current() === null) this.#lease.want(NO_TURN);
    if (event.type === 'lease-ended' && event.lease.name === FLEET_LEASE) this.#lease.onEnded();
  }

  /** @param why what the turn is waited for; empty while nothing is asked for */
  hold(why: string): void {
    this.#lease.want(why === '' ? NO_TURN : `waits for its turn: ${why}`);
  }

  letGo(): void {
    this.#lease.letGo();
  }

  remember(memory: FleetMemory): void {
    this.#stored = { ...this.#stored, memory };
    this.options.state.write(FILE, this.#stored);
  }
}
