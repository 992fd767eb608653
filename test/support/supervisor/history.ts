import { EventEmitter } from 'node:events';

/** A request as the Supervisor got it, told when it is answered, or when whoever sent it has given up; `arrival` is told at once. */
export interface ReceivedRequest {
  readonly kind: 'request';
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** What the parsers made of the body: `{}` if its type was neither JSON nor a form, as with Express. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly contentType: string | undefined;
  /** Where the key was, whether or not it was right. */
  readonly key: 'header' | 'query' | 'none';
  /** Undefined if it was not answered. */
  readonly status: number | undefined;
  /** Whether an image was being downloaded when it arrived, which `cancel` would have aborted. */
  readonly whileDownloading: boolean;
}

/** What a Supervisor did, or had done to it. */
export type Happening =
  | { readonly kind: 'arrival'; readonly method: string; readonly path: string }
  | ReceivedRequest
  | { readonly kind: 'attempt'; readonly force: boolean; readonly result: 'locked' | 'taken' | 'failed' }
  | { readonly kind: 'back-off'; readonly delayMs: number; readonly failures: number }
  | { readonly kind: 'download'; readonly state: 'started' | 'finished' | 'aborted' }
  | { readonly kind: 'replacing' }
  | { readonly kind: 'applied'; readonly commit: string };

/** When, by `performance.now()` of this process; for a request, when it arrived. */
export type Recorded<H extends Happening = Happening> = H & { readonly atMs: number };
type OfKind<K extends Happening['kind']> = Recorded<Extract<Happening, { kind: K }>>;

/** All that happened, in order. */
export class History {
  readonly all: Recorded[] = [];
  readonly #added = new EventEmitter().setMaxListeners(0);

  add(happening: Happening, atMs = performance.now()): void {
    this.all.push({ ...happening, atMs });
    this.#added.emit('added');
  }

  of<K extends Happening['kind']>(kind: K): OfKind<K>[] {
    return this.all.filter((one): one is OfKind<K> => one.kind === kind);
  }

  /** The first of that kind for which that is so, among those after the first `after`; waits until it is there. */
  async next<K extends Happening['kind']>(kind: K, isSo: (one: OfKind<K>) => boolean = () => true, after = 0): Promise<OfKind<K>> {
    for (;;) {
      const found = this.all.slice(after).find((one): one is OfKind<K> => one.kind === kind && isSo(one as OfKind<K>));
      if (found !== undefined) return found;
      await new Promise((resolve) => this.#added.once('added', resolve));
    }
  }
}
