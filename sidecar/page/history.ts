import type { HistoryEntryView, HistoryView } from '../http/schemas';

export type HistoryEntry = HistoryEntryView;

/** How often the history is asked for at most, however much happens. Milliseconds. */
const ASK_EVERY_MS = 1000;

/** After an answer that did not come. Milliseconds. */
const ASK_AGAIN_AFTER_MS = 5000;
const ANSWERS_WITHIN_MS = 10_000;

/** The last of what has happened, the latest first: what the sidecar has kept of it, asked for anew when something happens. */
export class History {
  events: readonly HistoryEntry[] = [];
  #isAsking = false;
  #isStale = false;

  constructor(private readonly onChange: () => void) {
    document.addEventListener('visibilitychange', () => { this.#askIfStale(); });
  }

  /** To be called when there may be more. */
  refresh(): void {
    this.#isStale = true;
    this.#askIfStale();
  }

  #askIfStale(): void {
    if (this.#isStale && !this.#isAsking) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    // Nobody sees what is behind another tab: that has time until somebody looks.
    while (this.#isStale && document.visibilityState === 'visible') {
      this.#isStale = false;
      const isRead = await this.#read();
      if (!isRead) this.#isStale = true;
      await new Promise((resolve) => setTimeout(resolve, isRead ? ASK_EVERY_MS : ASK_AGAIN_AFTER_MS));
    }
    this.#isAsking = false;
  }

  async #read(): Promise<boolean> {
    try {
      const response = await fetch('v1/history', { cache: 'no-store', signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
      if (!response.ok) return false;
      this.events = ((await response.json()) as HistoryView).events;
      this.onChange();
      return true;
    } catch {
      return false;
    }
  }
}
