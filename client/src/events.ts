import { errorOf, parseObject } from './answer';
import type { Caller } from './caller';
import { UnreachableError } from './errors/unreachable-error';
import { isPassing, pause, Pauses } from './persist';
import { readLines } from './read-lines';
import type { LockEvent } from './types';

export interface EventsOptions {
  signal?: AbortSignal | undefined;
  /** Continue after the event with this id, if the sidecar still knows it. */
  lastEventId?: string | undefined;
  /** Called with null for each new connection, and with an error for each that ends or fails. */
  onConnection?: ConnectionListener | undefined;
}

/**
 * The events of the lock; reconnects whenever the connection breaks. Ends only with its reader: by `break`, `return()`, or the signal,
 * whose reason is then thrown.
 */
export class Events implements AsyncIterableIterator<LockEvent> {
  readonly #closed = new AbortController();
  readonly #events: AsyncGenerator<LockEvent, void, void>;

  constructor(caller: Caller, { signal, lastEventId, onConnection = () => undefined }: EventsOptions = {}) {
    const closed = this.#closed;
    const abort = (): void => {
      closed.abort(signal?.reason);
    };
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    closed.signal.addEventListener('abort', () => {
      signal?.removeEventListener('abort', abort);
    });
    this.#events = readEvents(caller, closed.signal, lastEventId, onConnection);
  }

  async next(): Promise<IteratorResult<LockEvent, undefined>> {
    try {
      return (await this.#events.next()) as IteratorResult<LockEvent, undefined>;
    } catch (error) {
      if (error === DONE) return { value: undefined, done: true };
      throw error;
    }
  }

  /** Closes the connection, also while the next event is waited for. */
  async return(): Promise<IteratorResult<LockEvent, undefined>> {
    this.#closed.abort(DONE);
    await this.#events.return().catch(() => undefined);
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** The abort reason when the reader has left the loop. */
const DONE = new Error('nobody reads the events any more');

type ConnectionListener = (error: Error | null) => void;

async function* readEvents(
  caller: Caller,
  signal: AbortSignal,
  lastEventId: string | undefined,
  onConnection: ConnectionListener,
): AsyncGenerator<LockEvent, void, void> {
  const pauses = new Pauses(caller.timing);
  let id = lastEventId;
  for (;;) {
    try {
      for await (const event of readConnection(caller, signal, id, () => { onConnection(null); })) {
        id = event.id;
        pauses.startOver();
        if (isKnown(event)) yield event;
      }
      onConnection(new UnreachableError(`${caller.url} has ended the events`));
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      onConnection(error as Error);
    }
    await pause(pauses.next(), signal);
  }
}

/** The events of one connection. */
async function* readConnection(
  caller: Caller,
  signal: AbortSignal,
  lastEventId: string | undefined,
  onOpen: () => void,
): AsyncGenerator<LockEvent, void, void> {
  const resuming = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
  const headers = { Accept: 'text/event-stream', ...resuming };
  const response = await caller.open({ method: 'GET', path: '/v1/events', headers, signal });
  const abort = (): void => {
    response.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    if (response.statusCode !== 200 || !/^text\/event-stream\b/.test(response.headers['content-type'] ?? '')) {
      throw errorOf(await caller.readAll(response, signal), caller.url);
    }
    onOpen();
    const events = parseEvents(readLines(response, { silentMs: 2 * caller.timing.heartbeatMs, isBackground: false }), lastEventId);
    for (;;) {
      const { value: event, done } = await caller.translating(signal, () => events.next());
      if (done === true) return;
      yield event;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    response.destroy();
  }
}

/** Parses server-sent events (WHATWG HTML, 9.2) whose data are JSON documents. */
async function* parseEvents(lines: AsyncIterable<string>, lastEventId = ''): AsyncGenerator<LockEvent, void, void> {
  let id = lastEventId;
  let type = '';
  let data: string[] = [];
  for await (const line of lines) {
    if (line === '') {
      if (data.length > 0) yield { id, type, data: parseData(data) } as LockEvent;
      type = '';
      data = [];
      continue;
    }
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (field === 'id') id = value;
    if (field === 'event') type = value;
    if (field === 'data') data.push(value);
  }
}

function parseData(lines: readonly string[]): object {
  const document = parseObject(lines.join('\n'));
  if (document === null) throw new Error('an event is not a document');
  return document;
}

/** Whether the event is of a known type; later sidecars may send others. */
function isKnown({ type }: LockEvent): boolean {
  return ['lock', 'lease', 'update', 'fleet'].includes(type);
}
