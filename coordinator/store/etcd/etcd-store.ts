import { randomUUID } from 'node:crypto';
import type { EtcdSettings } from '../../config/config';
import { isSameDevice, PLACE_KEPT_MS, type Device } from '../../groups';
import { messageOf } from '../../../server/text';
import { StoreUnavailable, type GivenBack, type GroupSettings, type Store, type StoreOperation, type Written } from '../store';
import { EtcdClient, OutcomeUnknown, type Json } from './etcd-client';
import { parse, toGroup, type EtcdGroup } from './etcd-group';
import { foundIn, get, getAll, holderValue, isAbsent, isPresent, isUnchanged, Keys, put, remove, type KeyValue } from './keys';

/** etcd keeps all that ever was until it is told not to. */
const COMPACT_EVERY_MS = 3_600_000;

/** What was read is used for ten times as long as it took to read it: many that wait then cost no more than a tenth of the time. */
const REUSE_FACTOR = 10;

/** How often a change without an answer is looked up and tried again. */
const MAX_ATTEMPTS = 4;

type Transaction = Readonly<Partial<Record<'compare', readonly Json[]>> & Record<'success', readonly Json[]>>;

/**
 * Groups, turns and the queue in etcd, for any number of coordinators. A turn is given by one transaction, which also writes the group and
 * only succeeds if nobody has written it since it was read: so the turns that were counted are still all there are. A poll keeps two leases
 * alive, one for the place in the queue and one for its voice, and writes nothing.
 */
export class EtcdStore implements Store {
  readonly #client: EtcdClient;
  readonly #keys: Keys;
  readonly #reads = new Map<string, { readonly group: Promise<EtcdGroup | null>; untilMs: number }>();
  readonly #lastAsked = new Map<string, number>();
  readonly #compactTimer: NodeJS.Timeout;
  #revision = '0';

  constructor(
    settings: EtcdSettings,
    private readonly wallMs: () => number,
    compactEveryMs = COMPACT_EVERY_MS,
  ) {
    this.#client = new EtcdClient(settings);
    this.#keys = new Keys(settings.prefix);
    this.#compactTimer = setInterval(() => { void this.#compact(); }, compactEveryMs).unref();
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
    const [found = []] = foundIn(await this.#transact('read', { success: [getAll(this.#keys.groups)] }));
    const names = found.map(({ key }) => key.slice(this.#keys.groups.length)).sort();
    const groups = await Promise.all(names.map((name) => this.read(name)));
    return groups.filter((group) => group !== null);
  }

  async grant({ name, modRevision, slots, paused, isAdHoc, waiting }: EtcdGroup, { id, instance }: Device, nowMs: number): Promise<Written> {
    this.#reads.delete(name);
    const [group, holder] = [this.#keys.group(name), this.#keys.holder(name, id)];
    const turn = randomUUID();
    const written = await this.#change(
      {
        compare: [isUnchanged(group, modRevision), isAbsent(holder)],
        success: [put(group, { slots, paused, isAdHoc }), put(holder, { instance, sinceMs: nowMs, turn }), remove(this.#keys.waiting(name, id)), remove(this.#keys.asking(name, id))],
      },
      async () => {
        const [[found] = []] = await this.#get(holder);
        return found !== undefined && parse(holderValue, found).turn === turn;
      },
    );
    const place = waiting.get(id);
    if (written === 'done' && place !== undefined) this.#revoke(place.placeLease);
    return written;
  }

  async hasTurn(name: string, device: Device): Promise<boolean> {
    const [[found] = []] = await this.#get(this.#keys.holder(name, device.id));
    const has = found !== undefined && isSameDevice({ id: device.id, ...parse(holderValue, found) }, device);
    if (!has) this.#reads.delete(name);
    return has;
  }

  async giveBack(name: string, device: Device): Promise<GivenBack> {
    return this.#remove(name, device.id, ({ instance }) => instance === device.instance);
  }

  async release(name: string, id: string): Promise<boolean> {
    const [[holder] = []] = await this.#get(this.#keys.holder(name, id));
    return holder !== undefined && (await this.#remove(name, id, () => true)) === 'turn';
  }

  async wait(group: EtcdGroup, id: string, silentAfterMs: number, nowMs: number): Promise<Written> {
    const [[holder] = []] = await this.#get(this.#keys.holder(group.name, id));
    if (holder !== undefined) {
      this.#reads.delete(group.name);
      return 'conflict';
    }
    const waiter = group.waiting.get(id);
    this.#lastAsked.set(this.#keys.waiting(group.name, id), nowMs);
    const isKept = waiter !== undefined && (await this.#keepAlive(waiter.placeLease));
    if (!isKept) await this.#join(group.name, id, silentAfterMs, nowMs);
    else if (waiter.asking?.silentAfterMs !== silentAfterMs || !(await this.#keepAlive(waiter.asking.lease))) await this.#giveVoice(group.name, id, silentAfterMs);
    return 'done';
  }

  async setGroup(name: string, { slots, paused, isAdHoc }: GroupSettings, before: EtcdGroup | null): Promise<Written> {
    this.#reads.delete(name);
    const key = this.#keys.group(name);
    const compare = [before === null ? isAbsent(key) : isUnchanged(key, before.modRevision)];
    const { succeeded } = await this.#transact('write', { compare, success: [put(key, { slots, paused, isAdHoc })] }, false);
    return succeeded === true ? 'done' : 'conflict';
  }

  async problem(): Promise<string | null> {
    try {
      await this.#get(this.#keys.groups);
      const { alarms = [] } = (await this.#client.call('/v3/maintenance/alarm', { action: 'GET' }, true)) as { alarms?: readonly { alarm?: string }[] };
      return alarms.some(({ alarm }) => alarm === 'NOSPACE') ? 'etcd is out of space (NOSPACE): no turn can be given; compact and defragment it, then disarm the alarm' : null;
    } catch (error) {
      return messageOf(error);
    }
  }

  close(): Promise<void> {
    clearInterval(this.#compactTimer);
    this.#client.close();
    return Promise.resolve();
  }

  async #load(name: string): Promise<EtcdGroup | null> {
    const keys = this.#keys;
    const answer = await this.#transact('read', { success: [get(keys.group(name)), getAll(keys.holder(name)), getAll(keys.waiting(name)), getAll(keys.asking(name))] });
    return toGroup(name, keys, foundIn(answer), (id) => this.#lastAsked.get(keys.waiting(name, id)) ?? null);
  }

  async #remove(name: string, id: string, isOfThisDevice: (holder: { readonly instance: string | null }) => boolean): Promise<GivenBack> {
    const [holderKey, waitingKey] = [this.#keys.holder(name, id), this.#keys.waiting(name, id)];
    this.#lastAsked.delete(waitingKey);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const [[holder] = [], [waiting] = []] = await this.#get(holderKey, waitingKey);
      const key = holder ?? waiting;
      if (key === undefined || (holder !== undefined && !isOfThisDevice(parse(holderValue, holder)))) return 'nothing';
      const written = await this.#change(
        { compare: [isUnchanged(key.key, key.modRevision)], success: [remove(holderKey), remove(waitingKey), remove(this.#keys.asking(name, id))] },
        async () => {
          const [[now] = []] = await this.#get(key.key);
          return now?.modRevision !== key.modRevision;
        },
      );
      this.#reads.delete(name);
      if (written === 'conflict') continue;
      if (waiting !== undefined) this.#revoke(waiting.lease);
      return holder === undefined ? 'place' : 'turn';
    }
    throw new StoreUnavailable('write', 'others change the turn all the time');
  }

  async #join(name: string, id: string, silentAfterMs: number, nowMs: number): Promise<void> {
    const [waiting, asking] = [this.#keys.waiting(name, id), this.#keys.asking(name, id)];
    const [place, voice] = [await this.#lease(PLACE_KEPT_MS), await this.#lease(silentAfterMs)];
    const { succeeded } = await this.#transact('write', {
      compare: [isAbsent(this.#keys.holder(name, id)), isAbsent(waiting)],
      success: [put(waiting, { sinceMs: nowMs }, place), put(asking, { silentAfterMs }, voice)],
    });
    this.#reads.delete(name);
    if (succeeded === true) return;
    // It has a turn or a place already, perhaps by the first try of this.
    const [[found] = []] = await this.#get(waiting);
    if (found?.lease !== place) this.#revoke(place);
  }

  async #giveVoice(name: string, id: string, silentAfterMs: number): Promise<void> {
    const asking = this.#keys.asking(name, id);
    const voice = await this.#lease(silentAfterMs);
    await this.#transact('write', { compare: [isPresent(this.#keys.waiting(name, id))], success: [put(asking, { silentAfterMs }, voice)] });
    this.#reads.delete(name);
  }

  async #lease(ms: number): Promise<string> {
    const { ID: id } = await this.#call('write', '/v3/lease/grant', { TTL: String(Math.ceil(ms / 1000)), ID: '0' });
    return String(id);
  }

  /** False if the lease has ended. */
  async #keepAlive(id: string): Promise<boolean> {
    const { result } = (await this.#call('write', '/v3/lease/keepalive', { ID: id })) as { result?: { TTL?: string } };
    return Number(result?.TTL ?? 0) > 0;
  }

  /** A lease without keys would end by itself, in a week. */
  #revoke(id: string): void {
    this.#client.call('/v3/lease/revoke', { ID: id }, true).catch(() => undefined);
  }

  async #get(...keys: readonly string[]): Promise<KeyValue[][]> {
    return foundIn(await this.#transact('read', { success: keys.map(get) }));
  }

  /**
   * Makes a change once. If its answer is lost, it is looked up whether it was done; a change that was not done can be tried again, since it
   * compares what the first try would have changed.
   */
  async #change(transaction: Transaction, isDone: () => Promise<boolean>): Promise<Written> {
    let isUnsure = false;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      let isRefused = false;
      try {
        const { succeeded } = await this.#transact('write', transaction, false);
        if (succeeded === true) return 'done';
        isRefused = true;
      } catch (error) {
        if (!(error instanceof StoreUnavailable && error.cause instanceof OutcomeUnknown)) throw error;
        isUnsure = true;
      }
      if (isUnsure && (await isDone())) return 'done';
      if (isRefused) return 'conflict';
    }
    throw new StoreUnavailable('write', 'etcd does not answer, so the outcome is not known');
  }

  #transact(operation: StoreOperation, { compare = [], success }: Transaction, isRepeatable = true): Promise<Json> {
    return this.#call(operation, '/v3/kv/txn', { compare, success }, isRepeatable);
  }

  async #call(operation: StoreOperation, path: string, body: Json, isRepeatable = true): Promise<Json> {
    try {
      const answer = await this.#client.call(path, body, isRepeatable);
      const { header } = answer as { header?: { revision?: string } };
      this.#revision = header?.revision ?? this.#revision;
      return answer;
    } catch (error) {
      throw new StoreUnavailable(operation, messageOf(error), { cause: error });
    }
  }

  /** Forgets all that was before now; nobody here reads the past. Another coordinator may have done it. */
  async #compact(): Promise<void> {
    for (const [key, ms] of this.#lastAsked) if (ms + PLACE_KEPT_MS < this.wallMs()) this.#lastAsked.delete(key);
    await this.#client.call('/v3/kv/compaction', { revision: this.#revision }, true).catch(() => undefined);
  }
}
