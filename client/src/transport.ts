import { connect, type Socket } from 'node:net';
import type { Endpoint } from './endpoint';
import { InvalidRequestError } from './errors/invalid-request-error';
import { IncomingAnswer } from './incoming-answer';
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

/** What a field of a request may have in it. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Sends a request on a connection of its own and returns the answer as soon as its head is there. The caller has to
 * read or destroy it.
 * @throws the signal's reason, an error of `node:net`, or one that says what is wrong with the answer or took too long
 */
export async function open(endpoint: Endpoint, request: Request, timing: Timing): Promise<IncomingAnswer> {
  const { signal, waitMs = 0, isBackground = false } = request;
  signal?.throwIfAborted();
  const socket = send(endpoint, request);
  const answer = new IncomingAnswer(socket);
  socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
  if (isBackground) socket.unref();
  const giveUpAfter = (ms: number, what: string): NodeJS.Timeout =>
    // The connection keeps the process alive, if anything is to.
    setTimeout(() => { answer.destroy(new Error(`no ${what} within ${String(ms)} ms`)); }, ms).unref();
  let timer = giveUpAfter(timing.connectMs, 'connection');
  const onConnect = (): void => {
    clearTimeout(timer);
    timer = giveUpAfter(waitMs + timing.answerMs, 'answer');
  };
  const onAbort = (): void => {
    answer.destroy(signal?.reason as Error);
  };
  socket.once('connect', onConnect);
  signal?.addEventListener('abort', onAbort);
  try {
    await answer.head();
    return answer;
  } finally {
    clearTimeout(timer);
    socket.off('connect', onConnect);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Reads the whole answer. */
export async function readAll(answer: IncomingAnswer, timing: Timing, signal?: AbortSignal): Promise<Answer> {
  const timer = setTimeout(() => {
    answer.destroy(new Error(`no whole answer within ${String(timing.answerMs)} ms`));
  }, timing.answerMs).unref();
  const onAbort = (): void => {
    answer.destroy(signal?.reason as Error);
  };
  signal?.addEventListener('abort', onAbort);
  try {
    if (signal?.aborted === true) onAbort();
    let text = '';
    for (let more = await answer.read(); more !== null; more = await answer.read()) {
      text += more;
      if (text.length > MAX_ANSWER_LENGTH) throw new Error('the answer does not end');
    }
    return { status: answer.status, contentType: answer.field('content-type'), dateMs: Date.parse(answer.field('date')), text };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    answer.destroy();
  }
}

/** @throws InvalidRequestError for what cannot be sent (a token with a line break in it): it is wrong for ever */
function send({ target, prefix }: Endpoint, { method, path, headers, json }: Request): Socket {
  const body = json === undefined ? '' : asciiJson(json);
  const type = json === undefined ? {} : { 'Content-Type': 'application/json' };
  const fields = { Host: hostOf(target), Connection: 'close', 'Content-Length': String(body.length), ...type, ...headers };
  let head = `${method} ${prefix}${path} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(fields)) {
    if (!FIELD_VALUE.test(value)) throw new InvalidRequestError(`The request cannot be sent: ${name} has a character in it that is not allowed`, 'invalid');
    head += `${name}: ${value}\r\n`;
  }
  try {
    const socket = connect('socketPath' in target ? { path: target.socketPath } : target);
    socket.write(`${head}\r\n${body}`, 'latin1');
    return socket;
  } catch (cause) {
    throw new InvalidRequestError(`The request cannot be sent: ${(cause as Error).message}`, 'invalid', { cause });
  }
}

/** A character of it is a byte. */
function asciiJson(value: object): string {
  return JSON.stringify(value).replaceAll(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function hostOf(target: Endpoint['target']): string {
  if ('socketPath' in target) return 'localhost';
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return target.port === 80 ? host : `${host}:${String(target.port)}`;
}
