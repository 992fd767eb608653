import { lstatSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { Coordinator } from './coordinator';
import { fleetOf, isInState, reboot } from './fleet-device';
import { MovedClock } from './moved-clock';
import { holdsBackHost, NOBODY } from './readers';
import { makeFolder } from './sidecar';
import { TurnGate, type TurnEvent } from './turn-gate';
import { TurnHistory, type LockSeen } from './turn-history';
import { backsOffForLong, startDevice, type UpdatableDevice } from './updatable-device';
import { until } from './until';

const WITHIN_MS = 40_000;

/** As the host OS names the lock file of the sidecar. */
const HOST_PATH = '/tmp/balena-supervisor/services/1/main/updates.lock';

/** The host OS tries a reboot so often. Milliseconds. */
const REBOOT_TRIES_EVERY_MS = 5000;

export type WaitingKind = 'release' | 'reboot';

export interface Member extends UpdatableDevice {
  readonly id: string;
  readonly clock: MovedClock;
  sidecar: UpdatableDevice['sidecar'];
}

/** A coordinator with one slot and two devices with everything that is theirs, and a record of the turns and the lock files. */
export class FleetOfTwo {
  static readonly #all = new Set<FleetOfTwo>();
  readonly history = new TurnHistory();
  readonly booted = new Set<string>();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #rebooting = new Map<string, NodeJS.Timeout>();
  readonly #commits = new Map<string, string>();

  private constructor(
    private coordinator: Coordinator,
    readonly gate: TurnGate,
    readonly what: WaitingKind,
  ) {}

  first!: Member;
  second!: Member;

  /** @param replacesForMs how long an update takes; until the Supervisor is told if undefined */
  static async start(what: WaitingKind, replacesForMs: number | undefined): Promise<FleetOfTwo> {
    const coordinator = await Coordinator.start({ COORDINATOR_GROUPS: 'default=1' });
    const gate = await TurnGate.start(coordinator.url, (event, id) => { fleet.#record(event, id); });
    const fleet = new FleetOfTwo(coordinator, gate, what);
    FleetOfTwo.#all.add(fleet);
    [fleet.first, fleet.second] = await Promise.all([fleet.#join('first', '17.6.1', replacesForMs), fleet.#join('second', '19.0.5', replacesForMs)]);
    return fleet;
  }

  static cleanUp(): void {
    for (const fleet of FleetOfTwo.#all) {
      for (const watcher of fleet.#watchers.values()) watcher.close();
      for (const timer of fleet.#rebooting.values()) clearInterval(timer);
    }
    FleetOfTwo.#all.clear();
    TurnGate.cleanUp();
  }

  get members(): readonly Member[] {
    return [this.first, this.second];
  }

  holders(): Promise<string[]> {
    return this.coordinator.holders();
  }

  /** A release or a reboot waits for the lock, as both sides know, and an app still holds it. */
  async wait(member: Member): Promise<void> {
    const { sidecar, supervisor, id } = member;
    await sidecar.put('app', { ttl: '1h' });
    if (this.what === 'release') {
      this.#commits.set(id, await supervisor.pushRelease());
      await sidecar.logged('update pending');
      // By itself it tries nothing any more.
      await backsOffForLong(member);
    } else {
      const tries = (): void => { supervisor.journal.waitsFor(HOST_PATH); };
      tries();
      this.#rebooting.set(id, setInterval(tries, REBOOT_TRIES_EVERY_MS));
      await sidecar.logged('reboot of the host OS pending');
    }
  }

  /** The app lets go, so the device asks for its turn. */
  async ask({ sidecar }: Member): Promise<void> {
    await sidecar.release('app');
  }

  isDone({ id, supervisor }: Member): boolean {
    return this.what === 'reboot' ? this.booted.has(id) : supervisor.device.current.release.commit === this.#commits.get(id);
  }

  /** The host OS finds the lock free. */
  async boot(member: Member): Promise<void> {
    const { id, supervisor } = member;
    clearInterval(this.#rebooting.get(id));
    const after = await reboot(member);
    supervisor.journal.write('[safe_reboot][INFO] Rebooting now...', 11 * 60_000);
    member.sidecar = after.sidecar;
    this.#watch(member);
    this.booted.add(id);
  }

  // Kills

  async killSidecar(member: Member): Promise<void> {
    await member.sidecar.kill();
    this.#lookAtFlocks();
    member.sidecar = await member.sidecar.startAgain(member.environment);
    this.#lookAtFlocks();
  }

  async killSupervisor({ supervisor }: Member): Promise<void> {
    await supervisor.kill();
    await supervisor.startAgain();
  }

  /** With it go the requests that it has not answered. Their devices repeat them a minute later by their clocks, and those that wait ask it again. */
  async killCoordinator(): Promise<void> {
    const { folder } = this.coordinator;
    await this.coordinator.kill();
    const dropped = this.gate.drop();
    for (const member of this.members.filter(({ id }) => dropped.includes(id))) await until(async () => (await fleetOf(member)).server === 'unreachable', WITHIN_MS);
    this.coordinator = await Coordinator.start({ COORDINATOR_GROUPS: 'default=1' }, folder);
    this.gate.target = this.coordinator.url;
    for (const member of this.members.filter(({ id }) => dropped.includes(id))) await member.clock.jumpUntil(member.sidecar, 1.1, () => this.gate.isHolding(member.id));
    for (const member of this.members) if (this.history.isRefused(member.id)) await this.#askAgain(member);
  }

  /** Nothing is held up any more: each device updates or boots, and gives its turn back. */
  async finish(): Promise<void> {
    this.gate.open();
    const isBooting = new Set(this.booted);
    while (!this.members.every((member) => this.isDone(member)) || this.history.inTurn !== undefined) {
      await until(() => this.history.inTurn !== undefined || this.members.some(({ id }) => this.history.isRefused(id)), WITHIN_MS);
      const inTurn = this.members.find(({ id }) => id === this.history.inTurn);
      if (inTurn !== undefined) await this.#finishTurn(inTurn, isBooting);
      for (const member of this.members) if (this.history.isRefused(member.id)) await this.#askAgain(member);
    }
    for (const member of this.members) await isInState(member, 'idle');
  }

  /** An app takes the lock for a moment: after that the device asks at once, rather than when the server has told it to. */
  async #askAgain({ id, sidecar }: Member): Promise<void> {
    const before = this.history.all.length;
    await sidecar.put('app', { ttl: '1h' });
    await sidecar.release('app');
    await until(() => this.history.all.slice(before).some((each) => each.id === id && (each.what === 'given' || each.what === 'refused')), WITHIN_MS);
  }

  async #finishTurn(member: Member, isBooting: Set<string>): Promise<void> {
    const isReturned = (): boolean => this.history.inTurn !== member.id;
    if (this.what === 'release') {
      await until(isReturned, WITHIN_MS);
      return;
    }
    if (!isBooting.has(member.id)) {
      isBooting.add(member.id);
      await isInState(member, 'turn');
      await this.boot(member);
    }
    await member.clock.jumpUntil(member.sidecar, 21, isReturned);
  }

  async #join(id: string, version: string, replacesForMs: number | undefined): Promise<Member> {
    const folder = makeFolder();
    const clock = new MovedClock(folder);
    const settings = {
      UPDATE_LOCK_FLEET_URL: this.gate.url, UPDATE_LOCK_FLEET_ID: id, UPDATE_LOCK_FLEET_SETTLE: '1s', UPDATE_LOCK_HOST_POLL: '300ms', BALENA_APP_ID: '1', BALENA_SERVICE_NAME: 'main',
    };
    const member = { id, clock, ...(await startDevice({ version, ...(replacesForMs === undefined ? {} : { replacesForMs }) }, { ...settings, ...clock.environment }, folder)) };
    this.#watch(member);
    return member;
  }

  #watch(member: Member): void {
    const { id, sidecar } = member;
    this.#watchers.get(id)?.close();
    const look = (): void => { this.history.add({ id, what: 'lock', lock: lockOf(sidecar.directory) }); };
    this.#watchers.set(id, watch(sidecar.directory, look));
    look();
  }

  #record(what: TurnEvent, id: string): void {
    if (what !== 'returns') this.history.add({ id, what });
    else this.history.add({ id, what, lock: lockOf(this.members.find((each) => each.id === id)?.sidecar.directory ?? '') });
  }

  /** Whether the host OS would wait for the lock files that the sidecars hold. */
  #lookAtFlocks(): void {
    for (const { id, sidecar } of this.members) {
      if (this.history.inTurn === id) continue;
      this.history.add({ id, what: 'flock', lock: holdsBackHost(join(sidecar.directory, 'updates.lock')) ? 'sidecar' : 'free' });
    }
  }
}

function lockOf(directory: string): LockSeen {
  const file = lstatSync(join(directory, 'updates.lock'), { throwIfNoEntry: false });
  if (file === undefined) return 'free';
  return file.uid === NOBODY ? 'supervisor' : 'sidecar';
}

