import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Etcd } from './etcd';

/** A key was written, or is gone: then its value is null. */
export interface KeyChange {
  readonly revision: number;
  readonly key: string;
  readonly value: string | null;
}

interface WatchLine {
  readonly result?: {
    readonly compact_revision?: string;
    readonly events?: readonly { readonly type?: 'DELETE'; readonly kv: { readonly key: string; readonly value?: string; readonly mod_revision: string } }[];
  };
}

const decode = (text: string): string => Buffer.from(text, 'base64').toString();
const encode = (text: string): string => Buffer.from(text).toString('base64');

/** Follows every change of all keys that begin so, from the first revision on and in order, with whichever member can tell of them. */
export class EtcdWatch {
  #seen = 0;
  #isOver = false;
  #request: ClientRequest | null = null;
  readonly #done: Promise<void>;

  constructor(
    private readonly etcd: Etcd,
    private readonly prefix: string,
    private readonly onChange: (change: KeyChange) => void,
  ) {
    this.#done = this.#follow();
  }

  /** Waits until everything that was changed before is seen, and ends. */
  async end(): Promise<void> {
    const key = `${this.prefix}end-of-watch`;
    const { header } = await this.etcd.ask('/v3/kv/put', { key: encode(key), value: encode('') }) as { header: { revision: string } };
    while (this.#seen < Number(header.revision)) await Promise.race([this.#done, sleep(10)]);
    this.#isOver = true;
    this.#request?.destroy();
    await this.#done;
  }

  async #follow(): Promise<void> {
    for (let at = 0; !this.#isOver; at += 1) {
      const member = this.etcd.members[at % this.etcd.members.length];
      await this.#followBy(member?.clientUrl ?? '').catch((error: unknown) => {
        if (error instanceof RangeError) throw error;
      });
      await sleep(20);
    }
  }

  async #followBy(url: string): Promise<void> {
    const body = JSON.stringify({ create_request: { key: encode(this.prefix), range_end: encode(`${this.prefix.slice(0, -1)}0`), start_revision: String(this.#seen + 1) } });
    this.#request = request(new URL('/v3/watch', url), { method: 'POST', agent: false });
    this.#request.on('error', () => undefined);
    this.#request.end(body);
    const [response] = await once(this.#request, 'response') as [IncomingMessage];
    for await (const line of createInterface({ input: response })) {
      const { result } = JSON.parse(line) as WatchLine;
      if (result?.compact_revision !== undefined) throw new RangeError('etcd has compacted changes that were not seen yet');
      for (const { type, kv } of result?.events ?? []) {
        this.#seen = Number(kv.mod_revision);
        this.onChange({ revision: this.#seen, key: decode(kv.key), value: type === 'DELETE' ? null : decode(kv.value ?? '') });
      }
    }
  }
}
