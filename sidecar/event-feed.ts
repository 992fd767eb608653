import type { DeadlineEvent } from './gates/deadline';
import type { ProbeEvent } from './holders/probes/probe';
import type { WindowEvent } from './holders/windows/window-holder';
import type { KeeperEvent } from './keeper/events';
import type { UpdateEvent } from './supervisor/events';

/**
 * Everything that happens, in the order in which it happens. Metrics, streams and log follow from this alone.
 */
export type SidecarEvent = KeeperEvent | UpdateEvent | DeadlineEvent | ProbeEvent | WindowEvent;

export type Listener = (event: SidecarEvent) => void;

/**
 * Hands events on, in order, to whoever has subscribed. Until {@link open} they are kept: the lock is taken before the
 * parts that listen have been loaded.
 */
export class EventFeed {
  readonly #listeners: Listener[] = [];
  #early: SidecarEvent[] | null = [];

  readonly emit: Listener = (event) => {
    if (this.#early !== null) this.#early.push(event);
    else for (const listener of this.#listeners) listener(event);
  };

  subscribe(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Delivers what has happened so far, and from now on everything at once. */
  open(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const event of early) this.emit(event);
  }
}
