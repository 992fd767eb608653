import type { IncomingMessage } from 'node:http';
import { errorOf, isLease, parseObject } from './answer';
import type { Caller } from './caller';
import { ifMatch, leasePath } from './lease-name';
import { readLines } from './read-lines';
import type { HoldLine, Lease } from './types';

/** The sidecar waits up to an hour for a lock, in milliseconds. */
export const LONGEST_WAIT_MS = 3_600_000;

export interface HoldRequest {
  readonly name: string;
  /** The id of the lease to continue; without one, a new lease. */
  readonly id?: string | undefined;
  readonly reason: string | undefined;
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly isBackground?: boolean;
}

/** A connection that holds a lease. It does not keep the process alive. */
export interface HoldStream {
  readonly lease: Lease;
  /** The lines after `held`. Throws when the connection breaks; ends when the sidecar ends it. */
  readonly lines: AsyncGenerator<HoldLine, void, void>;
  /** Closes the connection; resolves once the sidecar has done so too, or the time is over. */
  readonly close: (withinMs: number) => Promise<void>;
}

/**
 * Asks once for a lease that lasts as long as the connection.
 * @throws an error that says why it was not granted, or the signal's reason; then nothing is held
 */
export async function openHold(caller: Caller, request: HoldRequest): Promise<HoldStream> {
  const { name, id, reason, waitMs, signal, isBackground = false } = request;
  const { timing } = caller;
  const json = { reason, wait: Math.floor(waitMs) / 1000 };
  const response = await caller.open({ method: 'POST', path: `${leasePath(name)}/hold`, headers: ifMatch(id), json, waitMs, signal, isBackground });
  if (response.statusCode !== 200 || !/^application\/x-ndjson\b/.test(response.headers['content-type'] ?? '')) {
    throw errorOf(await caller.readAll(response, signal), caller.url);
  }
  const stop = (): void => {
    response.destroy(new Error(`not held within ${String(timing.answerMs)} ms of the answer`));
  };
  const timer = setTimeout(stop, timing.answerMs).unref();
  signal?.addEventListener('abort', stop);
  return caller.translating(signal, async () => {
    try {
      const lines = holdLines(response, timing.heartbeatMs);
      const lease = await readHeld(lines, name);
      signal?.throwIfAborted();
      return { lease, lines, close: (withinMs) => close(response, withinMs) };
    } catch (error) {
      response.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  });
}

async function* holdLines(response: IncomingMessage, heartbeatMs: number): AsyncGenerator<HoldLine, void, void> {
  for await (const text of readLines(response, { silentMs: 2 * heartbeatMs, isBackground: true })) {
    const line = parseObject(text) as HoldLine | null;
    if (typeof line?.event !== 'string') throw new Error('a line of the hold is not an event');
    yield line;
  }
}

async function readHeld(lines: AsyncGenerator<HoldLine, void, void>, name: string): Promise<Lease> {
  for (;;) {
    const { value: line, done } = await lines.next();
    if (done === true) throw new Error('the hold ended before it began');
    if (line.event !== 'held') continue;
    if (!isLease((line as { lease?: Partial<Lease> }).lease ?? {}, name)) throw new Error(`the answer is not the lease ${name}: is this the sidecar?`);
    return line.lease;
  }
}

/** Closing our side of the connection ends the lease, if it has not ended yet. The sidecar closes its side when it has ended. */
function close({ socket }: IncomingMessage, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || socket.readableEnded) {
      resolve();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), withinMs);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.ref();
    socket.end();
  });
}
