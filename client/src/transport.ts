import { request as sendRequest, type IncomingMessage } from 'node:http';
import type { Endpoint } from './endpoint';
import { InvalidRequestError } from './errors/invalid-request-error';
import { TIMING, type Timing } from './timing';

/** Longer answers are not the sidecar's. In characters. */
const MAX_ANSWER_LENGTH = 16 * 1024 * 1024;

/** After this much silence the kernel asks whether the other end is still there. */
const KEEP_ALIVE_AFTER_MS = 15_000;

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Parameters; those that are undefined are left out. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** How long the sidecar was asked to wait before it answers. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/**
 * Sends a request on a connection of its own and returns the answer as soon as its head is there. The caller has to
 * read or destroy it.
 * @throws the signal's reason, an error of `node:net` or `node:http`, or one that says what took too long
 */
export function open({ target, prefix }: Endpoint, request: Request, timing: Timing = TIMING): Promise<IncomingMessage> {
  const { signal } = request;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const body = request.json === undefined ? undefined : JSON.stringify(request.json);
    const headers: Record<string, string | number> = { Accept: 'application/json, */*', ...request.headers };
    if (request.token !== undefined) headers['Authorization'] = `Bearer ${request.token}`;
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
      headers['Content-Length'] = Buffer.byteLength(body);
    }
    const sent = create(() => sendRequest({ ...target, method: request.method, path: prefix + request.path, headers, agent: false }));

    const connecting = setTimeout(() => sent.destroy(new Error(`no connection within ${String(timing.connectMs)} ms`)), timing.connectMs);
    const answerWithinMs = (request.waitMs ?? 0) + timing.answerMs;
    let answering: NodeJS.Timeout | undefined;
    const onConnect = (): void => {
      clearTimeout(connecting);
      answering = setTimeout(() => sent.destroy(new Error(`no answer within ${String(answerWithinMs)} ms`)), answerWithinMs);
    };
    const onAbort = (): void => {
      settle();
      sent.destroy();
      reject(signal?.reason as Error);
    };
    const settle = (): void => {
      clearTimeout(connecting);
      clearTimeout(answering);
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: Error): void => {
      settle();
      sent.destroy();
      reject(error);
    };
    signal?.addEventListener('abort', onAbort);
    sent.once('socket', (socket) => {
      socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
      socket.once('connect', onConnect);
    });
    sent.once('response', (response) => {
      settle();
      // Whoever reads it finds out by itself; nobody reading it is no reason to crash.
      response.on('error', () => undefined);
      resolve(response);
    });
    // Stays for as long as the connection: an error without a listener would end the process.
    sent.on('error', fail);
    sent.once('upgrade', () => { fail(new Error('the answer changes the protocol')); });
    sent.once('close', () => { fail(new Error('the connection was closed without an answer')); });
    sent.end(body);
  });
}

/** The same, and reads the whole answer. */
export async function exchange(endpoint: Endpoint, request: Request, timing: Timing = TIMING): Promise<Answer> {
  const { signal } = request;
  const response = await open(endpoint, request, timing);
  return new Promise((resolve, reject) => {
    const reading = setTimeout(() => response.destroy(new Error(`no whole answer within ${String(timing.answerMs)} ms`)), timing.answerMs);
    const onAbort = (): void => {
      response.destroy();
      reject(signal?.reason as Error);
    };
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_ANSWER_LENGTH) response.destroy(new Error('the answer does not end'));
    });
    response.once('end', () => {
      resolve({ status: response.statusCode ?? 0, contentType: response.headers['content-type'] ?? '', text });
    });
    response.once('error', reject);
    response.once('close', () => {
      clearTimeout(reading);
      signal?.removeEventListener('abort', onAbort);
      reject(new Error('the connection was closed in the middle of the answer'));
    });
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
  });
}

/** What node:http refuses to send (a token with a line break in it) is wrong for ever. */
function create<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new InvalidRequestError(`The request cannot be sent: ${(cause as Error).message}`, 'invalid', { cause });
  }
}
