import { randomUUID } from 'node:crypto';
import type { EtcdSettings } from '../../config/config';
import { isSameDevice, PLACE_KEPT_MS, type Device } from '../../groups';
import { messageOf } from '../../../server/text';
import { StoreUnavailable, type GivenBack, type GroupSettings, type Store, type StoredGroup, type Written } from '../store';
import { EtcdAccess } from './etcd-access';
import { askingValue, groupValue, holderValue, parse } from './etcd-value';
import { foundIn, get, getAll, isAbsent, isPresent, isUnchanged, Keys, put, remove } from './keys';
import { Queues, type Queue } from './queues';

/** etcd keeps all that ever was until it is told not to. */
const COMPACT_EVERY_MS = 3_600_000;

/** How often a turn that others change meanwhile is read anew before it is given up. */
const MAX_ATTEMPTS = 4;

/** A group with the turns as they were at one revision. */
export interface EtcdGroup extends StoredGroup {
  readonly modRevision: string;
  readonly waiting: Queue;
}

/**
 * Groups, turns and the queue in etcd, for any number of coordinators. A turn is given by one transaction, which also writes the group and
 * only succeeds if nobody has written it since it was read: so the turns that were counted are still all there are. A poll keeps two leases
 * alive, one for the place in the queue and one for its voice, and writes nothing.
 */
export class EtcdStore implements Store {
  readonly #etcd: EtcdAccess;
  readonly #keys: Keys;
  readonly #queues: Queues;
  readonly #compactTimer: NodeJS.Timeout;

  constructor(settings: EtcdSettings, wallMs: () => number, compactEveryMs = COMPACT_EVERY_MS) {
    this.#etcd = new EtcdAccess(settings);
    this.#keys = new Keys(settings.prefix);
    this.#queues = new Queues(this.#etcd, this.#keys, wallMs);
    this.#compactTimer = setInterval(() => { void this.#etcd.compact(); }, compactEveryMs).unref();
  }

  async read(name: string): Promise<EtcdGroup | null> {
    const keys = this.#keys;
    const [[own] = [], found = []] = foundIn(await this.#etcd.transact('read', { success: [get(keys.group(name)), getAll(keys.holder(name))] }));
    if (own === undefined) return null;
    const settings = parse(groupValue, own);
    const holders = new Map(found.map((each) => {
      const id = each.key.slice(keys.holder(name).length);
      const { instance, sinceMs } = parse(holderValue, each);
      return [id, { id, instance, sinceMs }];
    }));
    const waiting = await this.#queues.of(name);
    // Those that others have given a turn since the queue was read.
    for (const id of holders.keys()) waiting.delete(id);
    await this.#queues.readSilence(name, waiting, settings.paused ? 0 : settings.slots - holders.size);
    return { name, ...settings, modRevision: own.modRevision, holders, waiting };
  }

  async readAll(): Promise<EtcdGroup[]> {
    const [found = []] = foundIn(await this.#etcd.transact('read', { success: [getAll(this.#keys.groups)] }));
    const names = found.map(({ key }) => key.slice(this.#keys.groups.length)).sort();
    const groups = await Promise.all(names.map((name) => this.read(name)));
    return groups.filter((group) => group !== null);
  }

  async grant({ name, modRevision, slots, paused, isAdHoc, waiting }: EtcdGroup, { id, instance }: Device, nowMs: number): Promise<Written> {
    const [group, holder] = [this.#keys.group(name), this.#keys.holder(name, id)];
    const turn = randomUUID();
    const written = await this.#etcd.change(
      {
        compare: [isUnchanged(group, modRevision), isAbsent(holder)],
        success: [put(group, { slots, paused, isAdHoc }), put(holder, { instance, sinceMs: nowMs, turn }), remove(this.#keys.waiting(name, id)), remove(this.#keys.asking(name, id))],
      },
      async () => {
        const [[found] = []] = await this.#etcd.get(holder);
        return found !== undefined && parse(holderValue, found).turn === turn;
      },
    );
    const place = waiting.get(id);
    if (written === 'done' && place !== undefined) {
      waiting.delete(id);
      this.#etcd.revoke(place.placeLease);
    }
    return written;
  }

  async hasTurn(name: string, device: Device): Promise<boolean> {
    const [[found] = []] = await this.#etcd.get(this.#keys.holder(name, device.id));
    return found !== undefined && isSameDevice({ id: device.id, ...parse(holderValue, found) }, device);
  }

  async giveBack(name: string, device: Device): Promise<GivenBack> {
    return this.#remove(name, device.id, ({ instance }) => instance === device.instance);
  }

  async release(name: string, id: string): Promise<boolean> {
    const [[holder] = []] = await this.#etcd.get(this.#keys.holder(name, id));
    return holder !== undefined && (await this.#remove(name, id, () => true)) === 'turn';
  }

  async wait(group: EtcdGroup, id: string, silentAfterMs: number, nowMs: number): Promise<Written> {
    const { name, waiting: queue } = group;
    const [[holder] = [], [place] = [], [voice] = []] = await this.#etcd.get(this.#keys.holder(name, id), this.#keys.waiting(name, id), this.#keys.asking(name, id));
    if (holder !== undefined) return 'conflict';
    if (place === undefined) return this.#join(group, id, silentAfterMs, nowMs);
    const waiter = queue.get(id);
    // Another coordinator gave it this place, so its position is not known here yet.
    if (waiter?.placeLease !== place.lease || !(await this.#etcd.keepAlive(place.lease))) return this.#conflict(name);
    const isHeard = voice !== undefined && parse(askingValue, voice).silentAfterMs === silentAfterMs && (await this.#etcd.keepAlive(voice.lease));
    const voiceLease = isHeard ? voice.lease : await this.#giveVoice(name, id, silentAfterMs);
    if (voiceLease === null) return this.#conflict(name);
    queue.set(id, { ...waiter, lastAskedMs: nowMs, silentFromMs: Infinity, voiceLease });
    return 'done';
  }

  async setGroup(name: string, { slots, paused, isAdHoc }: GroupSettings, before: EtcdGroup | null): Promise<Written> {
    const key = this.#keys.group(name);
    const compare = [before === null ? isAbsent(key) : isUnchanged(key, before.modRevision)];
    const { succeeded } = await this.#etcd.transact('write', { compare, success: [put(key, { slots, paused, isAdHoc })] }, false);
    return succeeded === true ? 'done' : 'conflict';
  }

  async problem(): Promise<string | null> {
    try {
      await this.#etcd.get(this.#keys.groups);
      const { alarms = [] } = (await this.#etcd.call('read', '/v3/maintenance/alarm', { action: 'GET' })) as { alarms?: readonly { alarm?: string }[] };
      return alarms.some(({ alarm }) => alarm === 'NOSPACE') ? 'etcd is out of space (NOSPACE): no turn can be given; compact and defragment it, then disarm the alarm' : null;
    } catch (error) {
      return messageOf(error);
    }
  }

  close(): Promise<void> {
    clearInterval(this.#compactTimer);
    this.#etcd.close();
    return Promise.resolve();
  }

  async #remove(name: string, id: string, isOfThisDevice: (holder: { readonly instance: string | null }) => boolean): Promise<GivenBack> {
    const [holderKey, waitingKey] = [this.#keys.holder(name, id), this.#keys.waiting(name, id)];
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const [[holder] = [], [waiting] = []] = await this.#etcd.get(holderKey, waitingKey);
      const key = holder ?? waiting;
      if (key === undefined || (holder !== undefined && !isOfThisDevice(parse(holderValue, holder)))) return 'nothing';
      const written = await this.#etcd.change(
        { compare: [isUnchanged(key.key, key.modRevision)], success: [remove(holderKey), remove(waitingKey), remove(this.#keys.asking(name, id))] },
        async () => {
          const [[now] = []] = await this.#etcd.get(key.key);
          return now?.modRevision !== key.modRevision;
        },
      );
      if (written === 'conflict') continue;
      if (waiting !== undefined) {
        void this.#queues.remove(name, id);
        this.#etcd.revoke(waiting.lease);
      }
      return holder === undefined ? 'place' : 'turn';
    }
    throw new StoreUnavailable('write', 'others change the turn all the time');
  }

  async #join({ name, waiting: queue }: EtcdGroup, id: string, silentAfterMs: number, nowMs: number): Promise<Written> {
    const [holder, waiting, asking] = [this.#keys.holder(name, id), this.#keys.waiting(name, id), this.#keys.asking(name, id)];
    const [placeLease, voiceLease] = [await this.#etcd.lease(PLACE_KEPT_MS), await this.#etcd.lease(silentAfterMs)];
    const { succeeded } = await this.#etcd.transact('write', {
      compare: [isAbsent(holder), isAbsent(waiting)],
      success: [put(waiting, { sinceMs: nowMs }, placeLease), put(asking, { silentAfterMs }, voiceLease)],
    });
    if (succeeded === true) {
      queue.delete(id);
      queue.set(id, { id, sinceMs: nowMs, lastAskedMs: nowMs, silentFromMs: Infinity, placeLease, voiceLease });
      return 'done';
    }
    // It has a turn or a place already, perhaps by the first try of this.
    const [[place] = []] = await this.#etcd.get(waiting);
    if (place?.lease !== placeLease) this.#etcd.revoke(placeLease);
    return this.#conflict(name);
  }

  /** Null if it has lost its place meanwhile. */
  async #giveVoice(name: string, id: string, silentAfterMs: number): Promise<string | null> {
    const lease = await this.#etcd.lease(silentAfterMs);
    const { succeeded } = await this.#etcd.transact('write', {
      compare: [isPresent(this.#keys.waiting(name, id))],
      success: [put(this.#keys.asking(name, id), { silentAfterMs }, lease)],
    });
    return succeeded === true ? lease : null;
  }

  /** The queue is not what it was when it was read. */
  #conflict(name: string): Written {
    this.#queues.outdate(name);
    return 'conflict';
  }
}
