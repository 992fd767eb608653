import { messageOf } from '../../../server/text';
import type { EtcdSettings } from '../../config/config';
import { StoreUnavailable, type StoreOperation, type Written } from '../store';
import { EtcdClient, OutcomeUnknown, type Json } from './etcd-client';
import { foundIn, get, type KeyValue } from './keys';

/** How often a change without an answer is looked up and tried again. */
const MAX_ATTEMPTS = 4;

export type Transaction = Readonly<Partial<Record<'compare', readonly Json[]>> & Record<'success', readonly Json[]>>;

/** Transactions and leases of etcd. All but {@link revoke} throw {@link StoreUnavailable} if the outcome cannot be known. */
export class EtcdAccess {
  readonly #client: EtcdClient;
  #revision = '0';

  constructor(settings: EtcdSettings) {
    this.#client = new EtcdClient(settings);
  }

  async lease(ms: number): Promise<string> {
    const { ID: id } = await this.call('write', '/v3/lease/grant', { TTL: String(Math.ceil(ms / 1000)), ID: '0' });
    return String(id);
  }

  /** False if the lease has ended. */
  async keepAlive(id: string): Promise<boolean> {
    const { result } = (await this.call('write', '/v3/lease/keepalive', { ID: id })) as { result?: { TTL?: string } };
    return Number(result?.TTL ?? 0) > 0;
  }

  /** A lease without keys would end by itself, in a week. */
  revoke(id: string): void {
    this.#client.call('/v3/lease/revoke', { ID: id }, true).catch(() => undefined);
  }

  async get(...keys: readonly string[]): Promise<KeyValue[][]> {
    return foundIn(await this.transact('read', { success: keys.map((key) => get(key)) }));
  }

  /**
   * Makes a change once. If its answer is lost, it is looked up whether it was done; a change that was not done can be tried again, since it
   * compares what the first try would have changed.
   */
  async change(transaction: Transaction, isDone: () => Promise<boolean>): Promise<Written> {
    let isUnsure = false;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      let isRefused = false;
      try {
        const { succeeded } = await this.transact('write', transaction, false);
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

  transact(operation: StoreOperation, { compare = [], success }: Transaction, isRepeatable = true): Promise<Json> {
    return this.call(operation, '/v3/kv/txn', { compare, success }, isRepeatable);
  }

  async call(operation: StoreOperation, path: string, body: Json, isRepeatable = true): Promise<Json> {
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
  async compact(): Promise<void> {
    await this.#client.call('/v3/kv/compaction', { revision: this.#revision }, true).catch(() => undefined);
  }

  close(): void {
    this.#client.close();
  }
}
