import { setTimeout as sleep } from 'node:timers/promises';
import type { SidecarEvent } from '../events/event';

/** The time between two questions, in milliseconds. */
const ASK_EVERY_MS = 5000;

/** An update that gives back the lock and may take it again. */
interface Applying<Gap> {
  /** Not null while the update may take the lock again. */
  readonly gap: Gap | null;
  end(gap: Gap): void;
}

/** When an update has given back the lock, asks the Supervisor until it says that nothing is pending: then the update is over. */
export class AfterUpdate<Gap> {
  #isAsking = false;
  #isClosed = false;

  constructor(
    private readonly applying: Applying<Gap>,
    private readonly updates: { isNothingPending(): Promise<boolean> },
  ) {
    void this.#ask();
  }

  onEvent({ type }: SidecarEvent): void {
    if (type === 'update-paused') void this.#ask();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    for (;;) {
      const { gap } = this.applying;
      if (gap === null || this.#isClosed) break;
      if (await this.updates.isNothingPending()) this.applying.end(gap);
      else await sleep(ASK_EVERY_MS, undefined, { ref: false });
    }
    this.#isAsking = false;
  }
}
