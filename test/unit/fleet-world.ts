import { Fleet } from '../../sidecar/holders/fleet/fleet';
import type { DeviceReading, FleetOptions } from '../../sidecar/holders/fleet/fleet-options';
import type { TurnAnswer } from '../../sidecar/holders/fleet/fleet-answers';
import { FLEET_LEASE } from '../../sidecar/holders/fleet/fleet-holder';
import { NOTHING_REMEMBERED, parseStoredFleet, type FleetMemory, type FleetNames } from '../../sidecar/holders/fleet/fleet-memory';
import type { FleetEvent, SidecarEvent } from '../../sidecar/events/event';
import { LeasePolicies } from '../../sidecar/leases/policies';
import type { WaitingKind } from '../../sidecar/leases/waiting';
import { CLOCK } from './fake-supervisor';
import { makeLease } from './make-lease';

export const NAMES: FleetNames = { url: 'http://fleet', group: 'default', id: 'device' };

/** A refusal without doubt. */
export const FULL = { kind: 'refused', detail: 'all slots of the group are taken', retryAfterMs: 20_000 } as const;

/** How a request to the server goes: as usual, lost before or after it has taken effect, or answered with what says nothing. */
export type Fate = 'answered' | 'lost before' | 'lost after' | 'bad gateway';

/** A device of a fleet, and the server of that, by Jest's fake timers: all as the test says. */
export class FleetWorld {
  // The device
  waiting: WaitingKind[] = [];
  apps: string[] = [];
  isUpdating = false;
  isAllowed = false;
  isKnown = true;
  target: string | null = 'release-1';
  runs: string | null = 'release-0';
  os: string | null = 'balenaOS 1';
  tooOld: string | null = null;
  isRebootNear = false;
  isOnline = true;
  deadline = { isDue: false, isDraining: false };
  reading: DeviceReading = { waiting: [], trouble: null };
  boot = 'boot-1';
  names = NAMES;
  maxWaitMs: number | null = null;
  memory: FleetMemory = NOTHING_REMEMBERED;
  isHeld = true;
  /** How many want to know what waits. */
  attendants = 0;
  // The server
  fate: Fate = 'answered';
  /** The URL of a server that is never reached again. */
  gone: string | null = null;
  refusal: Exclude<TurnAnswer, { kind: 'given' }> | null = null;
  /** Those who have a turn, by their names. */
  readonly turns = new Set<string>();
  readonly asked: FleetNames[] = [];
  readonly returned: FleetNames[] = [];
  readonly events: FleetEvent[] = [];
  readonly reasons: string[] = [];
  fleet: Fleet;

  constructor(names = NAMES, maxWaitMs: number | null = null) {
    this.names = names;
    this.maxWaitMs = maxWaitMs;
    this.fleet = this.#start();
  }

  /** A device that has its turn for a release. */
  static async inTurn(): Promise<FleetWorld> {
    const world = new FleetWorld();
    world.waiting = ['release'];
    await world.pass(200);
    expect([world.state, world.isHeld]).toEqual(['turn', false]);
    return world;
  }

  /** The process ends and another one starts. */
  restart({ boot = this.boot, names = this.names }: { boot?: string; names?: FleetNames } = {}): void {
    this.fleet.close();
    [this.boot, this.names] = [boot, names];
    // As it is on disk.
    const stored = parseStoredFleet(JSON.parse(JSON.stringify({ version: 1, instance: 'x', memory: this.memory })));
    if (stored === null) throw new Error('what is remembered cannot be read');
    this.memory = stored.memory;
    this.isHeld = this.memory.turn === null && !this.isAllowed;
    this.fleet = this.#start();
  }

  happens(event: SidecarEvent = { type: 'directory-looked-at' }): void {
    this.fleet.onEvent(event);
  }

  async pass(ms: number): Promise<void> {
    this.happens();
    await jest.advanceTimersByTimeAsync(ms);
  }

  get state(): string {
    return this.fleet.status.state;
  }

  #start(): Fleet {
    const policies = new LeasePolicies();
    policies.register('@window', { survivesDrain: true });
    const world = this; // eslint-disable-line @typescript-eslint/no-this-alias -- for the getters below
    const options: FleetOptions = {
      clock: CLOCK,
      random: () => 0.5,
      boot: this.boot,
      settings: { names: this.names, settleMs: 300_000, maxWaitMs: this.maxWaitMs },
      holder: {
        get memory() { return world.memory; },
        get isHeld() { return world.isHeld; },
        hold: (why) => {
          world.isHeld = true;
          if (world.reasons.at(-1) !== why) world.reasons.push(why);
        },
        letGo: () => { world.isHeld = false; },
        remember: (memory) => { world.memory = memory; },
      },
      server: { ask: (names) => this.#ask(names), giveBack: (names) => this.#giveBack(names) },
      keeper: {
        leases: () => [...(this.isHeld ? [makeLease(FLEET_LEASE)] : []), ...this.apps.map((name) => makeLease(name))],
        get isUpdating() { return world.isUpdating; },
      },
      policies,
      allowances: { current: () => (this.isAllowed ? { by: 'override', reason: '', untilWallMs: Infinity } : null) },
      updates: {
        get status() {
          return { supervisor: world.isKnown ? 'reachable' : 'not-asked-yet', waiting: world.waiting.map((what) => ({ what, sinceMs: 0 })), isRebootNear: world.isRebootNear, isSilent: false };
        },
        attend: () => this.#attend(),
        attendReleases: () => this.#attend(),
      },
      versions: () => ({ target: this.target, runs: this.runs, os: this.os }),
      tooOld: () => this.tooOld,
      deadline: this.deadline,
      isOnline: () => Promise.resolve(this.isOnline),
      read: () => Promise.resolve(this.reading),
      emit: (event) => {
        this.events.push(event);
        this.fleet?.onEvent(event); // eslint-disable-line @typescript-eslint/no-unnecessary-condition -- while it is made
      },
    };
    return new Fleet(options);
  }

  #attend(): () => void {
    this.attendants += 1;
    return () => { this.attendants -= 1; };
  }

  async #ask(names: FleetNames): Promise<TurnAnswer> {
    this.asked.push(names);
    const fate = await this.#arrives(names);
    const refusal = this.refusal;
    if (fate === 'lost before') return { kind: 'none', detail: 'lost' };
    if (refusal === null) this.turns.add(key(names));
    if (fate === 'lost after') return { kind: 'none', detail: 'lost' };
    if (fate === 'bad gateway') return { kind: 'unclear', detail: 'the server answered with status 502', retryAfterMs: null };
    return refusal ?? { kind: 'given' };
  }

  async #giveBack(names: FleetNames): Promise<{ problem: string | null; hasAnswered: boolean }> {
    this.returned.push(names);
    if (names.group === this.names.group && !this.isHeld && !this.isAllowed && this.fleet.problem === null && this.state === 'idle') throw new Error('given back while the lock is free');
    const fate = await this.#arrives(names);
    if (fate === 'lost before') return { problem: 'lost', hasAnswered: false };
    this.turns.delete(key(names));
    return fate === 'answered' ? { problem: null, hasAnswered: true } : { problem: 'lost', hasAnswered: fate === 'bad gateway' };
  }

  async #arrives({ url }: FleetNames): Promise<Fate> {
    const fate = url === this.gone ? 'lost before' : this.fate;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return fate;
  }
}

export function key({ url, group, id }: FleetNames): string {
  return `${url} ${group} ${id}`;
}
