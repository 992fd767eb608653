import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Target } from '../support/http';

export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A connection on which the test writes what no HTTP client would. */
export class RawConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);

  constructor(target: Target) {
    this.socket = connect('socketPath' in target ? { path: target.socketPath } : target);
    this.socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    // A reset is an end like any other; what had been answered by then is what counts.
    this.socket.on('error', () => undefined);
  }

  /** All that the sidecar has sent so far. */
  get received(): string {
    return this.#received.toString('utf8');
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  /** Everything the sidecar answers until it ends the connection. */
  async answers(): Promise<RawAnswer[]> {
    if (!this.socket.closed) await once(this.socket, 'close');
    return parseAnswers(this.#received);
  }

  /** The answers so far, once there are that many. */
  async first(count: number): Promise<RawAnswer[]> {
    for (;;) {
      const answers = parseAnswers(this.#received);
      if (answers.length >= count || this.socket.closed) return answers;
      await this.#somethingNew();
    }
  }

  async #somethingNew(): Promise<void> {
    const enough = new AbortController();
    await Promise.race(['data', 'close'].map((event) => once(this.socket, event, { signal: enough.signal }).catch(() => undefined)));
    enough.abort();
  }

  close(): void {
    this.socket.destroy();
  }
}

/** What the sidecar answers to these bytes and then ends: the request has to ask for that, or be one that is ended. */
export async function exchange(target: Target, bytes: string | Uint8Array): Promise<RawAnswer[]> {
  return new RawConnection(target).write(bytes).answers();
}

/** Complete answers, each with a Content-Length or without a body. */
function parseAnswers(received: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = received;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd === -1) return answers;
    const [statusLine = '', ...lines] = rest.toString('latin1', 0, headEnd).split('\r\n');
    const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(statusLine);
    if (match === null) throw new Error(`not an answer: ${JSON.stringify(statusLine)}`);
    const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
    const start = headEnd + 4;
    const length = Number(headers['content-length'] ?? 0);
    if (rest.length < start + length) return answers;
    answers.push({ status: Number(match[1]), reason: match[2] ?? '', headers, body: rest.toString('utf8', start, start + length) });
    rest = rest.subarray(start + length);
  }
}
