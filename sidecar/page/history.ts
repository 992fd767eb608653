import type { HistoryEntryView, HistoryView } from '../http/schemas';

export type HistoryEntry = HistoryEntryView;

/** The history is fetched once in this time at most, however much happens. Milliseconds. */
const FETCH_EVERY_MS = 1000;

/** The wait after a failed request. Milliseconds. */
const RETRY_AFTER_MS = 5000;
const TIMEOUT_MS = 10_000;

/** The sidecar's history of recent events, latest first. It is fetched again when something happens. */
export class History {
  events: readonly HistoryEntry[] = [];
  #isFetching = false;
  #isStale = false;

  constructor(private readonly onChange: () => void) {
    document.addEventListener('visibilitychange', () => { this.#fetchIfStale(); });
  }

  /** To be called when there may be new events. */
  refresh(): void {
    this.#isStale = true;
    this.#fetchIfStale();
  }

  #fetchIfStale(): void {
    if (this.#isStale && !this.#isFetching) void this.#fetchWhileStale();
  }

  async #fetchWhileStale(): Promise<void> {
    this.#isFetching = true;
    // In a hidden tab nobody reads it: that can wait until the tab is shown.
    while (this.#isStale && document.visibilityState === 'visible') {
      this.#isStale = false;
      const hasSucceeded = await this.#fetch();
      if (!hasSucceeded) this.#isStale = true;
      await new Promise((resolve) => setTimeout(resolve, hasSucceeded ? FETCH_EVERY_MS : RETRY_AFTER_MS));
    }
    this.#isFetching = false;
  }

  async #fetch(): Promise<boolean> {
    try {
      const response = await fetch('v1/history', { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok) return false;
      this.events = ((await response.json()) as HistoryView).events;
      this.onChange();
      return true;
    } catch {
      return false;
    }
  }
}
