import type { SidecarEvent } from './events/event';
import type { EventFeed } from './events/feed';

/** A part of the sidecar: complete when it is constructed, told of everything that happens, closed at the end. */
export interface Part {
  /** @param time when it happened, by the wall clock */
  onEvent?(event: SidecarEvent, time: Date): void;
  close?(): void | Promise<void>;
}

/** The parts in the order in which they were made, which is the reverse of that in which they are closed. */
export class Parts {
  readonly #parts: Part[] = [];

  constructor(private readonly feed: EventFeed) {}

  add<P extends Part>(part: P): P {
    this.#parts.push(part);
    this.feed.subscribe((event, time) => part.onEvent?.(event, time));
    return part;
  }

  /** Closes each part before those that it was made of. */
  async close(): Promise<void> {
    for (const part of this.#parts.reverse()) await part.close?.();
  }
}
