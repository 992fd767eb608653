import { setTimeout as sleep } from 'node:timers/promises';

/** How long there is between one and the next, in milliseconds. */
const APART_MS = 1000;

/**
 * Makes requests for many clients at the cost of a few: one at a time, a second apart, and clients who want the same meanwhile share
 * the answer.
 */
export class SharedRequests<T> {
  readonly #wanted = new Map<string, Promise<T>>();
  #ready: Promise<unknown> = Promise.resolve();

  /** @param what names the request; requests with the same name share one answer */
  ask(what: string, request: () => Promise<T>): Promise<T> {
    const same = this.#wanted.get(what);
    if (same !== undefined) return same;
    const answer = this.#ready.then(request).finally(() => this.#wanted.delete(what));
    this.#wanted.set(what, answer);
    const apart = (): Promise<void> => sleep(APART_MS, undefined, { ref: false });
    this.#ready = answer.then(apart, apart);
    return answer;
  }
}
