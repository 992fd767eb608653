import type { SidecarEvent } from './event';

/** @param time when it happened, by the wall clock */
export type Listener = (event: SidecarEvent, time: Date) => void;

interface Happened {
  readonly event: SidecarEvent;
  readonly time: Date;
}

/**
 * Hands every event to every listener, in the order in which things happened: what a listener makes happen is told after
 * the event that it reacts to. Some parts are loaded only after the lock has been taken, so until {@link startIsOver} a new
 * listener is first told what has happened before.
 */
export class EventFeed {
  readonly #listeners: Listener[] = [];
  readonly #queue: Happened[] = [];
  #sinceStart: Happened[] | null = [];
  #isDelivering = false;

  readonly emit = (event: SidecarEvent): void => {
    this.#queue.push({ event, time: new Date() });
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#sinceStart?.push(next);
        for (const listener of this.#listeners) listener(next.event, next.time);
      }
    } finally {
      this.#isDelivering = false;
    }
  };

  subscribe(listener: Listener): void {
    for (const { event, time } of this.#sinceStart ?? []) listener(event, time);
    this.#listeners.push(listener);
  }

  /** All parts are there: from now on events are not kept. */
  startIsOver(): void {
    this.#sinceStart = null;
  }
}
