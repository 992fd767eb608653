import type { Waiter } from '../../groups';
import type { EtcdAccess } from './etcd-access';
import { parse, waitingValue } from './etcd-value';
import { foundIn, getAll, type Keys, type KeyValue } from './keys';

export interface EtcdWaiter extends Waiter {
  /** The lease that keeps its place. */
  readonly placeLease: string;
  /** The lease that ends when it has been silent for too long; null if it has ended. */
  readonly voiceLease: string | null;
}

/** The waiters of a group by id, in the order of first asking. What this process changes is changed here as well. */
export type Queue = Map<string, EtcdWaiter>;

interface Cached {
  /** Always the same map, so that nothing is noted in an old one while a new one is read. */
  readonly queue: Queue;
  read: Promise<void>;
  /** Until when it is used, by `performance.now()`. */
  untilMs: number;
}

/** A queue is used for ten times as long as it took to read it: reading one of many devices then takes no more than a tenth of the time. */
const REUSE_FACTOR = 10;

/** At most so long, however slowly etcd answered: a free slot may be kept for a device that has left the queue by another coordinator. */
const MAX_REUSE_MS = 10_000;

/** etcd tells whole seconds of what is left of a lease, and ends it up to a second late. */
const LEASE_ENDS_WITHIN_MS = 2000;

/** Of so many waiters it is read when they will be passed over. */
const MAX_SILENCES_READ = 10;

/** The queues of all groups as they were last read. A queue decides who is next, never how many have a turn, so it may be a little old. */
export class Queues {
  readonly #cached = new Map<string, Cached>();

  constructor(
    private readonly etcd: EtcdAccess,
    private readonly keys: Keys,
    private readonly wallMs: () => number,
  ) {}

  async of(name: string): Promise<Queue> {
    const cached = this.#cached.get(name) ?? { queue: new Map(), read: Promise.resolve(), untilMs: 0 };
    this.#cached.set(name, cached);
    if (performance.now() >= cached.untilMs) cached.read = this.#load(name, cached);
    await cached.read;
    return cached.queue;
  }

  /** Others have changed the queue: it is read anew when it is needed again. */
  outdate(name: string): void {
    const cached = this.#cached.get(name);
    if (cached !== undefined) cached.untilMs = 0;
  }

  /** One has left the queue. A read that has begun before may still find it. */
  async remove(name: string, id: string): Promise<void> {
    const cached = this.#cached.get(name);
    await cached?.read.catch(() => undefined);
    cached?.queue.delete(id);
  }

  /** While slots are free, reads when the first in the queue will be passed over, so that the next are told to ask just then. */
  async readSilence(name: string, queue: Queue, free: number): Promise<void> {
    if (free <= 0) return;
    const first = [...queue.values()].filter(({ voiceLease }) => voiceLease !== null).slice(0, Math.min(free, MAX_SILENCES_READ));
    await Promise.all(first.filter(({ silentFromMs }) => silentFromMs === Infinity).map(async (waiter) => {
      const { TTL: seconds } = await this.etcd.call('read', '/v3/lease/timetolive', { ID: waiter.voiceLease });
      // The gateway leaves out a zero.
      const leftMs = 1000 * Number(seconds ?? 0) + LEASE_ENDS_WITHIN_MS;
      if (queue.get(waiter.id) !== waiter) return;
      queue.set(waiter.id, { ...waiter, silentFromMs: this.wallMs() + leftMs });
      // It may ask another coordinator until then, so it is looked up then whether it has.
      const cached = this.#cached.get(name);
      if (cached !== undefined) cached.untilMs = Math.min(cached.untilMs, performance.now() + leftMs);
    }));
  }

  async #load(name: string, cached: Cached): Promise<void> {
    const startedMs = performance.now();
    cached.untilMs = Infinity;
    try {
      this.#fill(name, cached.queue, foundIn(await this.etcd.transact('read', { success: [getAll(this.keys.waiting(name)), getAll(this.keys.asking(name))] })));
      const nowMs = performance.now();
      cached.untilMs = Math.min(cached.untilMs, nowMs + Math.min(REUSE_FACTOR * (nowMs - startedMs), MAX_REUSE_MS));
    } catch (error) {
      cached.untilMs = 0;
      throw error;
    }
  }

  #fill(name: string, queue: Queue, [waiting = [], asking = []]: readonly KeyValue[][]): void {
    const [waitingStart, askingStart] = [this.keys.waiting(name), this.keys.asking(name)];
    const voices = new Map(asking.map(({ key, lease }) => [key.slice(askingStart.length), lease]));
    const found = waiting.map((each): EtcdWaiter => {
      const id = each.key.slice(waitingStart.length);
      const voiceLease = voices.get(id) ?? null;
      const { sinceMs } = parse(waitingValue, each);
      // etcd itself ends the lease of one that is silent.
      return { id, sinceMs, lastAskedMs: queue.get(id)?.lastAskedMs ?? null, silentFromMs: voiceLease === null ? 0 : Infinity, placeLease: each.lease, voiceLease };
    });
    queue.clear();
    for (const waiter of found) queue.set(waiter.id, waiter);
  }
}
