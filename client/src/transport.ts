import { request as sendRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import type { Endpoint } from './endpoint';
import { InvalidRequestError } from './errors/invalid-request-error';
import type { Timing } from './timing';

/** Longer answers are not the sidecar's. In characters. */
const MAX_ANSWER_LENGTH = 16 * 1024 * 1024;

/** After this much silence the kernel asks whether the other end is still there. */
const KEEP_ALIVE_AFTER_MS = 15_000;

export interface Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Parameters; those that are undefined are left out. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** How long the sidecar is asked to wait before it answers. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether the process may end while this is under way. */
  readonly isBackground?: boolean;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** The sidecar's wall clock, in milliseconds since the epoch and exact to a second; NaN if it does not say. */
  readonly dateMs: number;
  readonly text: string;
}

/**
 * Sends a request on a connection of its own and returns the answer as soon as its head is there. The caller has to
 * read or destroy it.
 * @throws the signal's reason, an error of `node:net` or `node:http`, or one that says what took too long
 */
export function open({ target, prefix }: Endpoint, request: Request, timing: Timing): Promise<IncomingMessage> {
  const { method, path, signal, json } = request;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const body = json === undefined ? '' : JSON.stringify(json);
    const headers = { ...(json === undefined ? {} : { 'Content-Type': 'application/json' }), 'Content-Length': Buffer.byteLength(body), ...request.headers };
    const sent = create({ ...target, method, path: prefix + path, headers, agent: false });
    const limits = limitTime(sent, timing, request.waitMs ?? 0);
    const settle = (): void => {
      limits.end();
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: Error): void => {
      settle();
      sent.destroy();
      reject(error);
    };
    const onAbort = (): void => {
      fail(signal?.reason as Error);
    };
    signal?.addEventListener('abort', onAbort);
    sent.once('socket', (socket) => {
      socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
      if (request.isBackground === true) socket.unref();
    });
    sent.once('response', (response) => {
      settle();
      // Who reads it finds out by itself; that nobody does is no reason to end the process.
      response.on('error', () => undefined);
      resolve(response);
    });
    // These stay for as long as the connection: an error without a listener would end the process too.
    sent.on('error', fail);
    sent.once('upgrade', () => {
      fail(new Error('the answer is of another protocol'));
    });
    sent.once('close', () => {
      fail(new Error('the connection was closed without an answer'));
    });
    sent.end(body);
  });
}

/** Reads the whole answer. */
export function readAll(response: IncomingMessage, timing: Timing, signal?: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const reading = setTimeout(() => {
      response.destroy(new Error(`no whole answer within ${String(timing.answerMs)} ms`));
    }, timing.answerMs).unref();
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
      const { statusCode: status = 0, headers } = response;
      resolve({ status, contentType: headers['content-type'] ?? '', dateMs: Date.parse(headers.date ?? ''), text });
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

/** What `node:http` refuses to send (a token with a line break in it) is wrong for ever. */
function create(options: RequestOptions): ClientRequest {
  try {
    return sendRequest(options);
  } catch (cause) {
    throw new InvalidRequestError(`The request cannot be sent: ${(cause as Error).message}`, 'invalid', { cause });
  }
}

/** Gives up a request that is not connected, or then not answered, in time. */
function limitTime(sent: ClientRequest, timing: Timing, waitMs: number): { end: () => void } {
  let isOver = false;
  const giveUpAfter = (ms: number, what: string): NodeJS.Timeout =>
    // The connection keeps the process alive, if anything is to.
    setTimeout(() => sent.destroy(new Error(`no ${what} within ${String(ms)} ms`)), ms).unref();
  let timer = giveUpAfter(timing.connectMs, 'connection');
  sent.once('socket', (socket) => {
    socket.once('connect', () => {
      clearTimeout(timer);
      if (!isOver) timer = giveUpAfter(waitMs + timing.answerMs, 'answer');
    });
  });
  return {
    end: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
