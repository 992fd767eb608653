import * as http from 'node:http';
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Endpoint } from './endpoint';
import { InvalidRequestError } from './errors/invalid-request-error';
import type { Timing } from './timing';

/** No answer of the sidecar is longer. In characters. */
const MAX_ANSWER_LENGTH = 16 * 1024 * 1024;

export interface Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Parameters; those that are undefined are left out. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** How long the sidecar may wait before it answers, as the request says. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether the process may end during the request. */
  readonly isBackground?: boolean;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** HTTP to one sidecar. Idle connections are reused, and do not keep the process alive. */
export class HttpClient {
  #agent: Agent | undefined;

  constructor(private readonly timing: Timing) {}

  /**
   * Sends a request on a connection of its own, and returns the answer as soon as its head is there. The caller has to read or
   * destroy it.
   * @throws an error of `node:http`, or one that says what took too long; InvalidRequestError for what cannot be sent
   */
  async open(endpoint: Endpoint, request: Request): Promise<IncomingMessage> {
    const sent = send(await protocolOf(endpoint), endpoint, request, false);
    return head(sent, endpoint, request, this.timing);
  }

  /** Sends a request and returns the whole answer. Throws as {@link open} does. */
  async exchange(endpoint: Endpoint, request: Request): Promise<Answer> {
    // A request that must not arrive twice does not use a connection that the sidecar may be closing.
    const response = request.method === 'POST' ? await this.open(endpoint, request) : await this.#openOnKept(endpoint, request);
    return readAll(response, this.timing, request.signal);
  }

  async #openOnKept(endpoint: Endpoint, request: Request): Promise<IncomingMessage> {
    const protocol = await protocolOf(endpoint);
    this.#agent ??= new protocol.Agent({ keepAlive: true });
    for (;;) {
      const sent = send(protocol, endpoint, request, this.#agent);
      try {
        return await head(sent, endpoint, request, this.timing);
      } catch (error) {
        // The sidecar has closed the reused connection; the next attempt opens another.
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!sent.reusedSocket || !['ECONNRESET', 'EPIPE'].includes(code) || request.signal?.aborted === true) throw error;
      }
    }
  }
}

/** Reads the whole answer. */
export async function readAll(response: IncomingMessage, timing: Timing, signal?: AbortSignal): Promise<Answer> {
  const timer = setTimeout(() => {
    response.destroy(new Error(`no whole answer within ${String(timing.answerMs)} ms`));
  }, timing.answerMs).unref();
  const onAbort = (): void => {
    response.destroy(new Error('aborted'));
  };
  signal?.addEventListener('abort', onAbort);
  try {
    if (signal?.aborted === true) onAbort();
    let text = '';
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      if (text.length > MAX_ANSWER_LENGTH) throw new Error('the answer does not end');
    }
    return { status: response.statusCode ?? 0, contentType: response.headers['content-type'] ?? '', text };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

type Protocol = Pick<typeof http, 'Agent' | 'request'>;

/** Loads `node:https` only if it is needed: it takes as long to load as everything else. */
async function protocolOf({ isSecure }: Endpoint): Promise<Protocol> {
  return isSecure ? import('node:https') : http;
}

/** @throws InvalidRequestError for a request that cannot be sent, such as a token with a line break; trying again would not help */
function send(protocol: Protocol, { target, isSecure }: Endpoint, { method, path, headers, json }: Request, agent: Agent | false): ClientRequest {
  const body = json === undefined ? undefined : JSON.stringify(json);
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  // Without TLS there is no name for it. To find one, Node.js would look for an IPv6 address by a regular expression whose compilation
  // takes 3 ms, a tenth of a short `update-lock run`.
  const names = isSecure ? {} : { servername: '' };
  try {
    return protocol.request({ ...target, ...names, method, path, headers: { ...type, ...headers }, agent }).end(body);
  } catch (cause) {
    throw new InvalidRequestError(`The request cannot be sent: ${(cause as Error).message}`, 'invalid', { cause });
  }
}

/** The answer, once its head is there. To be called at once, so that no event is missed. */
function head(sent: ClientRequest, { isSecure }: Endpoint, { signal, waitMs = 0, isBackground = false }: Request, timing: Timing): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const giveUpAfter = (ms: number, what: string): void => {
      clearTimeout(timer);
      // Only the connection keeps the process alive, not the timer.
      timer = setTimeout(() => sent.destroy(new Error(`no ${what} within ${String(ms)} ms`)), ms).unref();
    };
    const waitForAnswer = (): void => { giveUpAfter(waitMs + timing.answerMs, 'answer'); };
    const onAbort = (): void => { sent.destroy(new Error('aborted')); };
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    giveUpAfter(timing.connectMs, 'connection');
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
    sent.once('socket', (socket) => {
      if (isBackground) socket.unref();
      if (socket.connecting) socket.once(isSecure ? 'secureConnect' : 'connect', waitForAnswer);
      else waitForAnswer();
    });
    sent.once('response', (response) => {
      settle();
      // The reader sees this error, too. Without a listener it would end the process.
      response.on('error', () => undefined);
      resolve(response);
    });
    sent.once('upgrade', (_response, socket) => {
      socket.destroy();
      settle();
      reject(new Error('the answer is of another protocol'));
    });
    // Not `once`: an error after the answer is reported by the answer's reader.
    sent.on('error', (error) => {
      settle();
      reject(error);
    });
  });
}
