import { LockUnavailableError } from './errors/lock-unavailable-error';
import { UnreachableError } from './errors/unreachable-error';
import { monotonicMs, type Timing } from './timing';

export interface Persistence {
  /** How long to keep trying, in milliseconds; 0 for one attempt, Infinity for ever. */
  readonly forMs: number;
  readonly timing: Timing;
  readonly signal?: AbortSignal | undefined;
  /** Whether another attempt may succeed after this error. */
  readonly passes?: (error: unknown) => boolean;
  /** Called after each attempt that is followed by another. */
  readonly onFailure?: (error: unknown) => void;
  /** Whether the process may end during a pause. */
  readonly isBackground?: boolean;
}

/**
 * Tries until an attempt succeeds. The pauses grow and are partly random, so that the apps of a device do not all try at once.
 * @param attempt gets the time that is left, in milliseconds
 * @throws the last attempt's error, or the signal's reason
 */
export async function persist<T>(attempt: (leftMs: number) => Promise<T>, persistence: Persistence): Promise<T> {
  const { forMs, timing, signal, passes = isPassing, onFailure, isBackground = false } = persistence;
  const untilMs = monotonicMs() + forMs;
  const pauses = new Pauses(timing);
  for (;;) {
    const startedMs = monotonicMs();
    try {
      return await attempt(Math.max(0, untilMs - startedMs));
    } catch (error) {
      signal?.throwIfAborted();
      const nowMs = monotonicMs();
      if (!passes(error) || nowMs >= untilMs) throw error;
      onFailure?.(error);
      // An attempt that took long was not a quick failure, so the pauses begin anew.
      if (nowMs - startedMs > timing.longestPauseMs) pauses.startOver();
      await pause(Math.min(pauses.next(), untilMs - nowMs), signal, isBackground);
    }
  }
}

/** Whether a later attempt may succeed: the sidecar is not running yet, or the lock is not available now. A name in use stays in use. */
export function isPassing(error: unknown): boolean {
  return error instanceof UnreachableError || (error instanceof LockUnavailableError && error.code !== 'name-in-use');
}

/** How long to pause between attempts, in milliseconds: doubled each time, up to the longest. */
export class Pauses {
  #nextMs: number;

  constructor(private readonly timing: Timing) {
    this.#nextMs = timing.firstPauseMs;
  }

  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(ms * 2, this.timing.longestPauseMs);
    return ms * (0.5 + Math.random() / 2);
  }

  startOver(): void {
    this.#nextMs = this.timing.firstPauseMs;
  }
}

/** @throws the signal's reason */
export function pause(ms: number, signal?: AbortSignal, isBackground = false): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    if (isBackground) timer.unref();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
