import type * as z from 'zod/mini';
import type { Holder, Waiter } from '../../groups';
import { StoreUnavailable, type StoredGroup } from '../store';
import { askingValue, groupValue, holderValue, waitingValue, type KeyValue, type Keys } from './keys';

/** A group as it was at one revision. */
export interface EtcdGroup extends StoredGroup {
  readonly modRevision: string;
  readonly holders: ReadonlyMap<string, Holder>;
  /** Those that have joined since are added to it. */
  readonly waiting: Map<string, EtcdWaiter>;
}

export interface EtcdWaiter extends Waiter {
  /** The lease that keeps its place. */
  readonly placeLease: string;
  /** The lease that ends when it has been silent for too long; null if it has ended. */
  readonly asking: { readonly lease: string; readonly silentAfterMs: number } | null;
}

/**
 * Puts a group together from what one transaction has found.
 * @param lastAskedMs as far as this process was asked
 * @returns null if there is no such group
 */
export function toGroup(name: string, keys: Keys, found: readonly KeyValue[][], lastAskedMs: (id: string) => number | null): EtcdGroup | null {
  const [[own] = [], holders = [], waiting = [], asking = []] = found;
  if (own === undefined) return null;
  const voices = new Map(asking.map((each) => [each.key.slice(keys.asking(name).length), { lease: each.lease, ...parse(askingValue, each) }]));
  return {
    name,
    ...parse(groupValue, own),
    modRevision: own.modRevision,
    holders: new Map(holders.map((each) => {
      const id = each.key.slice(keys.holder(name).length);
      const { instance, sinceMs } = parse(holderValue, each);
      return [id, { id, instance, sinceMs }];
    })),
    waiting: new Map(waiting.map((each) => {
      const id = each.key.slice(keys.waiting(name).length);
      const voice = voices.get(id) ?? null;
      const { sinceMs } = parse(waitingValue, each);
      // etcd itself ends the lease of one that is silent.
      return [id, { id, sinceMs, lastAskedMs: lastAskedMs(id), silentFromMs: voice === null ? 0 : Infinity, placeLease: each.lease, asking: voice }];
    })),
  };
}

/** What cannot be understood may be a turn, so nothing is done with the group. */
export function parse<S extends z.ZodMiniType>(schema: S, { key, value }: KeyValue): z.output<S> {
  try {
    return schema.parse(JSON.parse(value));
  } catch (error) {
    throw new StoreUnavailable('read', `the key ${JSON.stringify(key)} in etcd cannot be understood`, { cause: error });
  }
}
