import type { SidecarEvent } from './event';

export type Listener = (event: SidecarEvent) => void;

/**
 * Hands every event to every listener, in the order in which things happened: what a listener makes happen is told after
 * the event that it reacts to. Some parts are loaded only after the lock has been taken, so until {@link startIsOver} a new
 * listener is first told what has happened before.
 */
export class EventFeed {
  readonly #listeners: Listener[] = [];
  readonly #queue: SidecarEvent[] = [];
  #sinceStart: SidecarEvent[] | null = [];
  #isDelivering = false;

  readonly emit: Listener = (event) => {
    this.#queue.push(event);
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#sinceStart?.push(next);
        for (const listener of this.#listeners) listener(next);
      }
    } finally {
      this.#isDelivering = false;
    }
  };

  subscribe(listener: Listener): void {
    for (const event of this.#sinceStart ?? []) listener(event);
    this.#listeners.push(listener);
  }

  /** All parts are there: from now on events are not kept. */
  startIsOver(): void {
    this.#sinceStart = null;
  }
}
