import { randomUUID } from 'node:crypto';
import type { EtcdSettings } from '../../config/config';
import { isSameDevice, PLACE_KEPT_MS, type Device } from '../../groups';
import { messageOf } from '../../../server/text';
import { StoreUnavailable, type GivenBack, type GroupSettings, type Store, type Written } from '../store';
import { EtcdAccess } from './etcd-access';
import { parse, toGroup, type EtcdGroup, type EtcdWaiter } from './etcd-group';
import { foundIn, get, getAll, holderValue, isAbsent, isPresent, isUnchanged, Keys, put, remove } from './keys';

/** etcd keeps all that ever was until it is told not to. */
const COMPACT_EVERY_MS = 3_600_000;

/** What was read is used for ten times as long as it took to read it: many that wait then cost no more than a tenth of the time. */
const REUSE_FACTOR = 10;

/** etcd tells whole seconds of what is left of a lease, and ends it up to a second late. */
const LEASE_ENDS_WITHIN_MS = 2000;

/** Of so many waiters it is read when they will be passed over. */
const MAX_SILENCES_READ = 10;

/** How often a turn that others change meanwhile is read anew before it is given up. */
const MAX_ATTEMPTS = 4;

/**
 * Groups, turns and the queue in etcd, for any number of coordinators. A turn is given by one transaction, which also writes the group and
 * only succeeds if nobody has written it since it was read: so the turns that were counted are still all there are. A poll keeps two leases
 * alive, one for the place in the queue and one for its voice, and writes nothing.
 */
export class EtcdStore implements Store {
  readonly #etcd: EtcdAccess;
  readonly #keys: Keys;
  readonly #reads = new Map<string, { readonly group: Promise<EtcdGroup | null>; untilMs: number }>();
  readonly #lastAsked = new Map<string, number>();
  readonly #tidyTimer: NodeJS.Timeout;

  constructor(
    settings: EtcdSettings,
    private readonly wallMs: () => number,
    compactEveryMs = COMPACT_EVERY_MS,
  ) {
    this.#etcd = new EtcdAccess(settings);
    this.#keys = new Keys(settings.prefix);
    this.#tidyTimer = setInterval(() => { this.#tidy(); }, compactEveryMs).unref();
  }

  read(name: string): Promise<EtcdGroup | null> {
    const known = this.#reads.get(name);
    if (known !== undefined && performance.now() < known.untilMs) return known.group;
    const startedMs = performance.now();
    const read = { group: this.#load(name), untilMs: Infinity };
    this.#reads.set(name, read);
    read.group.then(
      () => { read.untilMs = performance.now() + REUSE_FACTOR * (performance.now() - startedMs); },
      () => { read.untilMs = 0; },
    );
    return read.group;
  }

  async readAll(): Promise<EtcdGroup[]> {
    const [found = []] = foundIn(await this.#etcd.transact('read', { success: [getAll(this.#keys.groups)] }));
    const names = found.map(({ key }) => key.slice(this.#keys.groups.length)).sort();
    const groups = await Promise.all(names.map((name) => this.read(name)));
    return groups.filter((group) => group !== null);
  }

  async grant({ name, modRevision, slots, paused, isAdHoc, waiting }: EtcdGroup, { id, instance }: Device, nowMs: number): Promise<Written> {
    this.#reads.delete(name);
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
    if (written === 'done' && place !== undefined) this.#etcd.revoke(place.placeLease);
    return written;
  }

  async hasTurn(name: string, device: Device): Promise<boolean> {
    const [[found] = []] = await this.#etcd.get(this.#keys.holder(name, device.id));
    const has = found !== undefined && isSameDevice({ id: device.id, ...parse(holderValue, found) }, device);
    if (!has) this.#reads.delete(name);
    return has;
  }

  async giveBack(name: string, device: Device): Promise<GivenBack> {
    return this.#remove(name, device.id, ({ instance }) => instance === device.instance);
  }

  async release(name: string, id: string): Promise<boolean> {
    const [[holder] = []] = await this.#etcd.get(this.#keys.holder(name, id));
    return holder !== undefined && (await this.#remove(name, id, () => true)) === 'turn';
  }

  async wait(group: EtcdGroup, id: string, silentAfterMs: number, nowMs: number): Promise<Written> {
    const [[holder] = []] = await this.#etcd.get(this.#keys.holder(group.name, id));
    if (holder !== undefined) {
      this.#reads.delete(group.name);
      return 'conflict';
    }
    const waiter = group.waiting.get(id);
    this.#lastAsked.set(this.#keys.waiting(group.name, id), nowMs);
    const isKept = waiter !== undefined && (await this.#etcd.keepAlive(waiter.placeLease));
    if (!isKept) await this.#join(group, id, silentAfterMs, nowMs);
    else if (waiter.asking?.silentAfterMs !== silentAfterMs || !(await this.#etcd.keepAlive(waiter.asking.lease))) await this.#giveVoice(group, waiter, silentAfterMs);
    return 'done';
  }

  async setGroup(name: string, { slots, paused, isAdHoc }: GroupSettings, before: EtcdGroup | null): Promise<Written> {
    const key = this.#keys.group(name);
    const compare = [before === null ? isAbsent(key) : isUnchanged(key, before.modRevision)];
    try {
      const { succeeded } = await this.#etcd.transact('write', { compare, success: [put(key, { slots, paused, isAdHoc })] }, false);
      return succeeded === true ? 'done' : 'conflict';
    } finally {
      // Not before: a poll may read the group, or that there is none, while it is being written.
      this.#reads.delete(name);
    }
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
    clearInterval(this.#tidyTimer);
    this.#etcd.close();
    return Promise.resolve();
  }

  async #load(name: string): Promise<EtcdGroup | null> {
    const keys = this.#keys;
    const answer = await this.#etcd.transact('read', { success: [get(keys.group(name)), getAll(keys.holder(name)), getAll(keys.waiting(name)), getAll(keys.asking(name))] });
    const group = toGroup(name, keys, foundIn(answer), (id) => this.#lastAsked.get(keys.waiting(name, id)) ?? null);
    if (group !== null) await this.#readSilence(group);
    return group;
  }

  /** While slots are free, reads when the first in the queue will be passed over, so that the next are told to ask just then. */
  async #readSilence({ slots, holders, paused, waiting }: EtcdGroup): Promise<void> {
    const free = paused ? 0 : Math.min(slots - holders.size, MAX_SILENCES_READ);
    const first = [...waiting.values()].filter(({ asking }) => asking !== null).slice(0, Math.max(free, 0));
    await Promise.all(first.map(async (waiter) => {
      const { TTL: seconds } = await this.#etcd.call('read', '/v3/lease/timetolive', { ID: waiter.asking?.lease });
      waiting.set(waiter.id, { ...waiter, silentFromMs: this.wallMs() + 1000 * Number(seconds) + LEASE_ENDS_WITHIN_MS });
    }));
  }

  async #remove(name: string, id: string, isOfThisDevice: (holder: { readonly instance: string | null }) => boolean): Promise<GivenBack> {
    const [holderKey, waitingKey] = [this.#keys.holder(name, id), this.#keys.waiting(name, id)];
    this.#lastAsked.delete(waitingKey);
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
      this.#reads.delete(name);
      if (written === 'conflict') continue;
      if (waiting !== undefined) this.#etcd.revoke(waiting.lease);
      return holder === undefined ? 'place' : 'turn';
    }
    throw new StoreUnavailable('write', 'others change the turn all the time');
  }

  /** What was read of the group gets the new place as well: read anew after each, a queue would take too long to form. */
  async #join({ name, waiting: known }: EtcdGroup, id: string, silentAfterMs: number, nowMs: number): Promise<void> {
    const [waiting, asking] = [this.#keys.waiting(name, id), this.#keys.asking(name, id)];
    const [placeLease, lease] = [await this.#etcd.lease(PLACE_KEPT_MS), await this.#etcd.lease(silentAfterMs)];
    const { succeeded } = await this.#etcd.transact('write', {
      compare: [isAbsent(this.#keys.holder(name, id)), isAbsent(waiting)],
      success: [put(waiting, { sinceMs: nowMs }, placeLease), put(asking, { silentAfterMs }, lease)],
    });
    if (succeeded === true) {
      known.delete(id);
      known.set(id, { id, sinceMs: nowMs, lastAskedMs: nowMs, silentFromMs: Infinity, placeLease, asking: { lease, silentAfterMs } });
      return;
    }
    this.#reads.delete(name);
    // It has a turn or a place already, perhaps by the first try of this.
    const [[found] = []] = await this.#etcd.get(waiting);
    if (found?.lease !== placeLease) this.#etcd.revoke(placeLease);
  }

  async #giveVoice({ name, waiting }: EtcdGroup, waiter: EtcdWaiter, silentAfterMs: number): Promise<void> {
    const { id } = waiter;
    const lease = await this.#etcd.lease(silentAfterMs);
    const { succeeded } = await this.#etcd.transact('write', {
      compare: [isPresent(this.#keys.waiting(name, id))],
      success: [put(this.#keys.asking(name, id), { silentAfterMs }, lease)],
    });
    if (succeeded === true) waiting.set(id, { ...waiter, silentFromMs: Infinity, asking: { lease, silentAfterMs } });
    else this.#reads.delete(name);
  }

  #tidy(): void {
    for (const [key, ms] of this.#lastAsked) if (ms + PLACE_KEPT_MS < this.wallMs()) this.#lastAsked.delete(key);
    void this.#etcd.compact();
  }
}
