import type { Waiter } from '../../groups';
import type { EtcdAccess } from './etcd-access';
import { askingValue, parse, waitingValue } from './etcd-value';
import { foundIn, getAll, type Keys } from './keys';

export interface EtcdWaiter extends Waiter {
  /** The lease that keeps its place. */
  readonly placeLease: string;
  /** The lease that ends when it has been silent for too long; null if it has ended. */
  readonly asking: { readonly lease: string; readonly silentAfterMs: number } | null;
}

/** The waiters of a group by id, in the order of first asking. What this process changes is changed here as well. */
export type Queue = Map<string, EtcdWaiter>;

interface Read {
  readonly queue: Promise<Queue>;
  /** Until when it is used, by `performance.now()`. */
  untilMs: number;
}

/** A queue is used for ten times as long as it took to read it: reading one of many devices then takes no more than a tenth of the time. */
const REUSE_FACTOR = 10;

/** etcd tells whole seconds of what is left of a lease, and ends it up to a second late. */
const LEASE_ENDS_WITHIN_MS = 2000;

/** Of so many waiters it is read when they will be passed over. */
const MAX_SILENCES_READ = 10;

/** The queues of all groups as they were last read. A queue decides who is next, never how many have a turn, so it may be a little old. */
export class Queues {
  readonly #reads = new Map<string, Read>();
  readonly #last = new Map<string, Queue>();

  constructor(
    private readonly etcd: EtcdAccess,
    private readonly keys: Keys,
    private readonly wallMs: () => number,
  ) {}

  of(name: string): Promise<Queue> {
    const known = this.#reads.get(name);
    if (known !== undefined && performance.now() < known.untilMs) return known.queue;
    const startedMs = performance.now();
    const read: Read = { queue: this.#load(name), untilMs: Infinity };
    this.#reads.set(name, read);
    read.queue.then(
      () => { read.untilMs = Math.min(read.untilMs, performance.now() + REUSE_FACTOR * (performance.now() - startedMs)); },
      () => { read.untilMs = 0; },
    );
    return read.queue;
  }

  /** Others have changed the queue: it is read anew when it is needed again. */
  outdate(name: string): void {
    this.#reads.delete(name);
  }

  /** While slots are free, reads when the first in the queue will be passed over, so that the next are told to ask just then. */
  async readSilence(name: string, queue: Queue, free: number): Promise<void> {
    if (free <= 0) return;
    const first = [...queue.values()].filter(({ asking }) => asking !== null).slice(0, Math.min(free, MAX_SILENCES_READ));
    await Promise.all(first.filter(({ silentFromMs }) => silentFromMs === Infinity).map(async (waiter) => {
      const { TTL: seconds } = await this.etcd.call('read', '/v3/lease/timetolive', { ID: waiter.asking?.lease });
      const leftMs = 1000 * Number(seconds) + LEASE_ENDS_WITHIN_MS;
      if (queue.get(waiter.id) !== waiter) return;
      queue.set(waiter.id, { ...waiter, silentFromMs: this.wallMs() + leftMs });
      // It may ask another coordinator until then, so it is looked up then whether it has.
      const read = this.#reads.get(name);
      if (read !== undefined) read.untilMs = Math.min(read.untilMs, performance.now() + leftMs);
    }));
  }

  async #load(name: string): Promise<Queue> {
    const { keys } = this;
    const [waiting = [], asking = []] = foundIn(await this.etcd.transact('read', { success: [getAll(keys.waiting(name)), getAll(keys.asking(name))] }));
    const voices = new Map(asking.map((each) => [each.key.slice(keys.asking(name).length), { lease: each.lease, ...parse(askingValue, each) }]));
    const last = this.#last.get(name);
    const queue: Queue = new Map(waiting.map((each) => {
      const id = each.key.slice(keys.waiting(name).length);
      const voice = voices.get(id) ?? null;
      const { sinceMs } = parse(waitingValue, each);
      // etcd itself ends the lease of one that is silent.
      return [id, { id, sinceMs, lastAskedMs: last?.get(id)?.lastAskedMs ?? null, silentFromMs: voice === null ? 0 : Infinity, placeLease: each.lease, asking: voice }];
    }));
    this.#last.set(name, queue);
    return queue;
  }
}
