import type { Rules } from './rules';

export interface Trigger {
  readonly force: boolean;
  readonly cancel: boolean;
  /** Whether `POST /v1/update` asked for it, rather than a poll. */
  readonly fromApi: boolean;
}

/** What an attempt is given. */
export interface Attempt {
  readonly force: boolean;
  readonly cancelled: AbortSignal;
  /** Whether another is to follow it at once, so that it need not back off. */
  readonly isFollowed: () => boolean;
  /** To be told when it begins and ends to wait for its next try. */
  readonly backsOff: (isWaiting: boolean) => void;
}

/**
 * Runs attempts to reach the target, one at a time, and decides what a call does to the one that runs: balena-supervisor
 * v19.0.5 `src/device-state/exclusive-runner.ts` `trigger`; until v17.4 `src/device-state/index.ts` `triggerApplyTarget`;
 * Helios's `helios-state/src/seek.rs` `SeekAction::Apply` is like the first.
 */
export class OneAtATime {
  #running: { readonly controller: AbortController; isWaiting: boolean } | undefined;
  #queue: { force: boolean }[] = [];

  constructor(
    readonly rules: Rules,
    readonly run: (attempt: Attempt) => Promise<void>,
  ) {}

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  trigger({ force, cancel, fromApi }: Trigger): void {
    const running = this.#running;
    if (running === undefined) {
      void this.#start(force);
      return;
    }
    const ends = (this.rules.knowsCancel && cancel) || (this.rules.callsEndBackOff && fromApi && running.isWaiting);
    if (ends) {
      this.#queue = [{ force }];
      running.controller.abort();
    } else if (this.rules.callsEndBackOff) {
      // `scheduledApply`: there is but one, forced if any of its callers wanted that.
      this.#queue = [{ force: force || this.#queue.some((queued) => queued.force) }];
    } else if (this.rules.isHelios) {
      // `next_target`: the last one counts.
      this.#queue = [{ force }];
    } else {
      this.#queue.push({ force });
    }
  }

  stop(): void {
    this.#queue = [];
    this.#running?.controller.abort();
  }

  async #start(force: boolean): Promise<void> {
    const running = { controller: new AbortController(), isWaiting: false };
    this.#running = running;
    await this.run({
      force,
      cancelled: running.controller.signal,
      // From v17.5.0 an attempt goes on until it has succeeded, whatever is queued behind it.
      isFollowed: () => this.rules.callsEndBackOff && this.#queue.length > 0,
      backsOff: (isWaiting) => (running.isWaiting = isWaiting),
    });
    this.#running = undefined;
    const next = this.#queue.shift();
    if (next !== undefined) void this.#start(next.force);
  }
}
