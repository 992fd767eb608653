import type { IncomingMessage } from 'node:http';
import { documentOf, type Check } from './answer';
import { findEndpoint, findToken, orElsewhere } from './endpoint';
import { NotAllowedError } from './errors/not-allowed-error';
import { UnreachableError } from './errors/unreachable-error';
import { UpdateLockError } from './errors/update-lock-error';
import { HttpClient, readAll, type Answer, type Request } from './http-client';
import { persist } from './persist';
import { TIMING, type Timing } from './timing';

export interface UpdateLockOptions {
  /**
   * `http://HOST:PORT`, `https://HOST` or `unix:/PATH`; default: `UPDATE_LOCK_URL`, else the default socket if it is there, else
   * `http://update-lock:8080`.
   */
  url?: string | undefined;
  /** Default: `UPDATE_LOCK_TOKEN`. */
  token?: string | undefined;
}

/** Sends requests to one sidecar, with one token and one set of time limits. */
export class Caller {
  readonly #token: string | undefined;
  readonly #http: HttpClient;

  /** @throws InvalidRequestError if the URL is not one */
  constructor(
    private readonly options: UpdateLockOptions = {},
    readonly timing: Timing = TIMING,
  ) {
    this.#token = findToken(options.token);
    this.#http = new HttpClient(timing);
    findEndpoint(options.url);
  }

  /** The sidecar's present address: the default socket may come and go. */
  get url(): string {
    return findEndpoint(this.options.url).url;
  }

  /** The address for a message that nobody answers there. */
  get whereabouts(): string {
    const endpoint = findEndpoint(this.options.url);
    return endpoint.url + orElsewhere(endpoint);
  }

  /** Sends a request, once, and returns the answer as soon as its head is there, on a connection of its own. */
  async open(request: Request): Promise<IncomingMessage> {
    return this.translating(request.signal, () => this.#http.open(findEndpoint(this.options.url), this.#authorized(request)));
  }

  /** Sends a request, once, and returns the whole answer. */
  async exchange(request: Request): Promise<Answer> {
    return this.translating(request.signal, () => this.#http.exchange(findEndpoint(this.options.url), this.#authorized(request)));
  }

  /** Reads an answer that {@link open} has returned to its end. */
  async readAll(response: IncomingMessage, signal?: AbortSignal): Promise<Answer> {
    return this.translating(signal, () => readAll(response, this.timing, signal));
  }

  /** Sends a request, once, and returns the document in the answer. */
  async askOnce<T extends object>(request: Request, check: Check<T>): Promise<T> {
    return documentOf(await this.exchange(request), this.url, check);
  }

  /** The same as {@link askOnce}, but tries again for as long as a restart of the sidecar takes. */
  async ask<T extends object>(request: Request, check: Check<T>): Promise<T> {
    const { timing } = this;
    return persist(() => this.askOnce(request, check), { forMs: timing.patienceMs, timing, signal: request.signal });
  }

  /** Turns a network error into an UnreachableError; the signal's reason is passed on unchanged. */
  async translating<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await work();
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof UpdateLockError) throw cause;
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') {
        throw new NotAllowedError(`${this.url} may not be opened by this user: ${message}`, 'forbidden', { cause });
      }
      const endpoint = findEndpoint(this.options.url);
      throw new UnreachableError(`The sidecar cannot be reached at ${endpoint.url}: ${message || String(code)}${orElsewhere(endpoint)}`, { cause });
    }
  }

  #authorized(request: Request): Request {
    if (this.#token === undefined) return request;
    return { ...request, headers: { ...request.headers, Authorization: `Bearer ${this.#token}` } };
  }
}
