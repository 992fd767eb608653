import { LockUnavailableError } from './errors/lock-unavailable-error';
import { UpdateLockError } from './errors/update-lock-error';
import { LONGEST_WAIT_MS } from './hold-stream';
import { monotonicMs } from './timing';

/** Why a call still waits. */
export interface Waiting {
  /** `updating`, `foreign-lock` and so on, as in the errors; `unreachable` while no sidecar answers. */
  code: string;
  /** Who is in the way, where that is known: `supervisor`, a path, the name of a lease. */
  holder: string | undefined;
  /** The same as a sentence for people. */
  message: string;
}

export interface WaitingOptions {
  /** Called once a call has waited for a second, and again when it waits for something else, which is noticed within a minute. */
  onWaiting?: ((waiting: Waiting) => void) | undefined;
}

/** With a listener a request waits no longer, in milliseconds: the sidecar gives the reason at the end of a request, and it may have changed. */
const MAX_REQUEST_MS = 60_000;

/** Tells a listener why a call waits. */
export class WaitingTeller {
  readonly #startedMs = monotonicMs();
  #told: Pick<Waiting, 'code' | 'holder'> | undefined;

  constructor(
    private readonly listener: WaitingOptions['onWaiting'],
    private readonly afterMs: number,
  ) {}

  /** How long the next request is to wait, in milliseconds. */
  limit(leftMs: number): number {
    if (this.listener === undefined) return Math.min(leftMs, LONGEST_WAIT_MS);
    // Short until the sidecar has given a reason, so that it is told soon.
    const isKnown = this.#told !== undefined && this.#told.code !== 'unreachable';
    return Math.min(leftMs, isKnown ? MAX_REQUEST_MS : this.afterMs);
  }

  /** To be called when an attempt has failed and another one follows. */
  readonly tell = (error: unknown): void => {
    const { listener } = this;
    if (!(error instanceof UpdateLockError)) return;
    const { code, message } = error;
    const holder = error instanceof LockUnavailableError ? error.holder : undefined;
    if (listener === undefined || monotonicMs() - this.#startedMs < this.afterMs) return;
    if (this.#told?.code === code && this.#told.holder === holder) return;
    this.#told = { code, holder };
    // In a turn of its own: an error that it throws must not end the wait.
    queueMicrotask(() => {
      listener({ code, holder, message });
    });
  };
}
