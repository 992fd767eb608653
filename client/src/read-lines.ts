import type { IncomingMessage } from 'node:http';

/** No line of the sidecar is longer. In characters. */
const MAX_LINE_LENGTH = 1024 * 1024;

export interface LineOptions {
  /** After this time without a byte the connection counts as dead, in milliseconds. Only time spent waiting counts. */
  readonly silentMs: number;
  /** Whether the process may end while waiting for a line. */
  readonly isBackground: boolean;
}

/**
 * The lines of an answer as they arrive, without their line ends; never an incomplete one. Leaving the loop closes the connection.
 * @throws if the connection breaks or falls silent, or a line is too long
 */
export async function* readLines(response: IncomingMessage, { silentMs, isBackground }: LineOptions): AsyncGenerator<string, void, void> {
  const { socket } = response;
  const chunks: AsyncIterator<string, undefined> = response.setEncoding('utf8')[Symbol.asyncIterator]();
  let rest = '';
  try {
    for (;;) {
      if (!isBackground) socket.ref();
      const watch = watchSilence(response, silentMs);
      const { value: chunk, done } = await chunks.next().finally(watch.end);
      socket.unref();
      if (done === true) return;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_LENGTH) throw new Error('a line does not end');
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
  } finally {
    response.destroy();
  }
}

/** Destroys the answer unless told to end in time. */
function watchSilence(response: IncomingMessage, silentMs: number): { end: () => void } {
  let isOver = false;
  const timer = setTimeout(() => {
    // If this process was stopped or busy, the lines that have arrived meanwhile are read first.
    setImmediate(() => {
      if (!isOver) response.destroy(new Error(`nothing was heard for ${String(silentMs)} ms`));
    });
  }, silentMs).unref();
  return {
    end: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
