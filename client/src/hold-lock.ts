import type { Caller } from './caller';
import { checkOptions } from './check-options';
import { toMs } from './duration';
import { LockUnavailableError } from './errors/lock-unavailable-error';
import { UnreachableError } from './errors/unreachable-error';
import { ConnectionHold, type Hold, type HoldListeners } from './hold';
import { openHold, type HoldStream } from './hold-stream';
import { checkName, makeName } from './lease-name';
import { isPassing, persist } from './persist';
import { monotonicMs } from './timing';
import type { Duration } from './types';
import { WaitingTeller, type WaitingOptions } from './waiting';

export interface HoldOptions extends HoldListeners, Readonly<WaitingOptions> {
  /** The name of the lease; by default a new one for each call. */
  readonly name?: string | undefined;
  /** Why the lock is held, for people; up to 256 characters. */
  readonly reason?: string | undefined;
  /** How long to wait for the lock, and for a sidecar that is not running yet; by default without limit, 0 for not at all. */
  readonly wait?: Duration | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A routine that runs while the lock is held. Its signal aborts when the lock is lost, or when the signal in the options aborts. */
export type Routine<T> = (signal: AbortSignal) => T | Promise<T>;

/** Holds the lock until it is released, or the signal aborts. */
export async function holdUntilReleased(caller: Caller, options: HoldOptions): Promise<Hold> {
  const held = await take(caller, options);
  passOn(options.signal, held, () => void held.release());
  return held;
}

/** Holds the lock until the routine has ended, also after an abort: the routine may be in a critical section. */
export async function holdWhile<T>(caller: Caller, options: HoldOptions, routine: Routine<T>): Promise<T> {
  const held = await take(caller, options);
  passOn(options.signal, held);
  try {
    return await routine(held.signal);
  } finally {
    // It never fails, so it cannot hide an error of the routine.
    await held.release();
  }
}

/** @throws an error that says why it was not granted, or the signal's reason; then nothing is held */
async function take(caller: Caller, options: HoldOptions): Promise<ConnectionHold> {
  checkOptions('hold', options, { name: true, reason: true, wait: true, signal: true, onWaiting: true, onUpdate: true, onDraining: true });
  const { reason, signal, wait } = options;
  const name = options.name === undefined ? makeName() : checkName(options.name);
  const stream = await waitForHold(caller, name, wait === undefined ? Infinity : toMs(wait, 'wait'), options);
  const held = new ConnectionHold(caller, stream, reason, options);
  if (signal?.aborted !== true) return held;
  await held.release();
  throw signal.reason;
}

/** Passes an abort on to the hold, until that is over. */
function passOn(signal: AbortSignal | undefined, held: ConnectionHold, andThen?: () => void): void {
  if (signal === undefined) return;
  const onAbort = (): void => {
    held.abort(signal.reason);
    andThen?.();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  held.onOver(() => {
    signal.removeEventListener('abort', onAbort);
  });
}

async function waitForHold(caller: Caller, name: string, forMs: number, { reason, signal, onWaiting }: HoldOptions): Promise<HoldStream> {
  const { timing } = caller;
  const teller = new WaitingTeller(onWaiting, timing.patienceMs);
  // If the connection broke before the answer, the lease may have been granted; then our own name is in use for a moment.
  let lastBrokenAtMs = -Infinity;
  const attempt = async (leftMs: number): Promise<HoldStream> => {
    try {
      return await openHold(caller, { name, reason, waitMs: teller.limit(leftMs), signal });
    } catch (error) {
      if (error instanceof UnreachableError && mayHaveArrived(error)) lastBrokenAtMs = monotonicMs();
      throw error;
    }
  };
  const passes = (error: unknown): boolean => {
    const isOursPerhaps = error instanceof LockUnavailableError && error.code === 'name-in-use' && monotonicMs() - lastBrokenAtMs < timing.answerMs;
    return isOursPerhaps || isPassing(error);
  };
  return persist(attempt, { forMs, timing, signal, passes, onFailure: teller.tell });
}

/** Whether the request may have reached the sidecar. */
function mayHaveArrived({ cause }: UnreachableError): boolean {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  return !['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code);
}
