import { setTimeout as sleep } from 'node:timers/promises';
import { decide, type Decision, type Device } from './groups';
import type { GivenBack, GroupSettings, Store, StoredGroup, Written } from './store/store';
import { StoreUnavailable } from './store/store';
import type { NewGroups } from './config/new-groups';

/** A group that others change all the time is read anew so often; then the device has to ask again. */
const MAX_ATTEMPTS = 20;

/** The pause before the second attempt is random, up to so many milliseconds, and up to as many more before each further one: devices that ask at once then get out of each other's way. */
const LONGER_PAUSE_MS = 20;

/** At most so many groups are made for names that nobody has configured. */
const MAX_AD_HOC_GROUPS = 100;

/** Null: there is no such group. */
export type AskResult = Decision | null;

/** What has happened, for log and metrics. */
export interface CoordinatorEvents {
  readonly asked: (group: string, device: Device, decision: Decision) => void;
  readonly givenBack: (group: string, device: Device, result: GivenBack) => void;
  readonly released: (group: string, id: string) => void;
  readonly changed: (group: string, settings: GroupSettings) => void;
}

/** Reads, decides, and writes only if what was read still holds. */
export class Coordinator {
  #making: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: Store,
    private readonly newGroups: NewGroups,
    private readonly wallMs: () => number,
    private readonly events: CoordinatorEvents,
  ) {}

  /** A device asks for a turn, or whether it still has one. */
  async ask(name: string, device: Device): Promise<AskResult> {
    const result = await this.#retry(async () => {
      const group = await this.#groupToAsk(name);
      if (group === null) return null;
      const nowMs = this.wallMs();
      const decision = decide(group, device, nowMs);
      switch (decision.kind) {
        case 'granted':
          return (await this.store.grant(group, device, nowMs)) === 'done' ? decision : 'again';
        case 'confirmed':
          return (await this.store.hasTurn(name, device)) ? decision : 'again';
        case 'refused':
          return (await this.#wait(group, device, decision.silentAfterMs, nowMs)) === 'done' ? decision : 'again';
      }
    });
    if (result !== null) this.events.asked(name, device, result);
    return result;
  }

  /** A device needs no turn any more. Null: there is no such group. */
  async giveBack(name: string, device: Device): Promise<GivenBack | null> {
    const result = await this.store.giveBack(name, device);
    // Asked only afterwards: what was read of the group may be from before it was made, and the device has its turn by another coordinator.
    if (result === 'nothing' && (await this.store.read(name)) === null && !this.#mayBeMade(name)) return null;
    this.events.givenBack(name, device, result);
    return result;
  }

  group(name: string): Promise<StoredGroup | null> {
    return this.store.read(name);
  }

  /** All groups, by name. */
  groups(): Promise<StoredGroup[]> {
    return this.store.readAll();
  }

  /** Makes the groups of the settings that do not exist yet, so that they can be seen and paused before a device asks. */
  async makeGroups(): Promise<void> {
    for (const name of this.newGroups.slots.keys()) await this.#groupToAsk(name);
  }

  /** Makes or changes a group. Null: it does not exist, and no slots were given to make it. */
  async setGroup(name: string, changes: Partial<Pick<GroupSettings, 'slots' | 'paused'>>): Promise<StoredGroup | null> {
    const settings = await this.#retry(async () => {
      const before = await this.store.read(name);
      const slots = changes.slots ?? before?.slots ?? this.newGroups.slots.get(name);
      if (slots === undefined) return null;
      const after = { slots, paused: changes.paused ?? before?.paused ?? false, isAdHoc: false };
      return (await this.store.setGroup(name, after, before)) === 'done' ? after : 'again';
    });
    if (settings === null) return null;
    this.events.changed(name, settings);
    return this.store.read(name);
  }

  /** Takes a turn away from a device that will not come back. */
  async release(name: string, id: string): Promise<boolean> {
    const isReleased = await this.store.release(name, id);
    if (isReleased) this.events.released(name, id);
    return isReleased;
  }

  async #groupToAsk(name: string): Promise<StoredGroup | null> {
    return (await this.store.read(name)) ?? (this.#mayBeMade(name) ? this.#make(name) : null);
  }

  #mayBeMade(name: string): boolean {
    return this.newGroups.slots.has(name) || this.newGroups.slotsOfAny !== null;
  }

  /** Makes a group that the settings allow. One after the other, so that they can be counted. */
  #make(name: string): Promise<StoredGroup | null> {
    const slots = this.newGroups.slots.get(name);
    const isAdHoc = slots === undefined;
    const made = this.#making.then(async () => {
      if (isAdHoc && (await this.store.readAll()).filter((group) => group.isAdHoc).length >= MAX_AD_HOC_GROUPS) return null;
      const settings = { slots: slots ?? this.newGroups.slotsOfAny ?? 0, paused: false, isAdHoc };
      if ((await this.store.setGroup(name, settings, null)) === 'done') this.events.changed(name, settings);
      return this.store.read(name);
    });
    this.#making = made.catch(() => undefined);
    return made;
  }

  /** What was read may be from before the device got its turn, and one that has a turn must not be refused. */
  async #wait(group: StoredGroup, device: Device, silentAfterMs: number | null, nowMs: number): Promise<Written> {
    if (silentAfterMs !== null) return this.store.wait(group, device.id, silentAfterMs, nowMs);
    return (await this.store.hasTurn(group.name, device)) ? 'conflict' : 'done';
  }

  async #retry<T>(attempt: () => Promise<T | 'again'>): Promise<T> {
    for (let count = 0; count < MAX_ATTEMPTS; count += 1) {
      const result = await attempt();
      if (result !== 'again') return result;
      await sleep(Math.random() * LONGER_PAUSE_MS * (count + 1));
    }
    throw new StoreUnavailable('write', 'others change the group all the time');
  }
}
