import { documentOf } from './answer';
import { findEndpoint, findToken } from './endpoint';
import { NotAllowedError } from './errors/not-allowed-error';
import { UnreachableError } from './errors/unreachable-error';
import { UpdateLockError } from './errors/update-lock-error';
import type { IncomingAnswer } from './incoming-answer';
import { persist } from './persist';
import { TIMING, type Timing } from './timing';
import { open, readAll, type Answer, type Request } from './transport';

export interface UpdateLockOptions {
  /** `http://HOST:PORT` or `unix:/PATH`; default: `UPDATE_LOCK_URL`, else the default socket if it is there, else `http://update-lock:8080`. */
  url?: string | undefined;
  /** Default: `UPDATE_LOCK_TOKEN`. */
  token?: string | undefined;
}

/** Who asks: which sidecar, with what token, how patiently. */
export class Caller {
  readonly #token: string | undefined;

  /** @throws InvalidRequestError if the URL is not one */
  constructor(
    private readonly options: UpdateLockOptions = {},
    readonly timing: Timing = TIMING,
  ) {
    this.#token = findToken(options.token);
    findEndpoint(options.url);
  }

  /** Where it asks now: the default socket may come and go. */
  get url(): string {
    return findEndpoint(this.options.url).url;
  }

  /** Sends a request, once, and returns the answer as soon as its head is there. */
  async open(request: Request): Promise<IncomingAnswer> {
    const authorization = this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` };
    const headers = { ...request.headers, ...authorization };
    return this.translating(request.signal, () => open(findEndpoint(this.options.url), { ...request, headers }, this.timing));
  }

  /** Sends a request, once, and returns the whole answer. */
  async exchange(request: Request): Promise<Answer> {
    const answer = await this.open(request);
    return this.translating(request.signal, () => readAll(answer, this.timing, request.signal));
  }

  /**
   * Sends a request, again for as long as a restart of the sidecar takes if need be, and returns the document that it is
   * answered with.
   */
  async ask(request: Request): Promise<object> {
    const { signal } = request;
    const attempt = async (): Promise<object> => documentOf(await this.exchange(request), this.url);
    return persist(attempt, { forMs: this.timing.patienceMs, timing: this.timing, signal });
  }

  /** Says in our own words what went wrong on the way; the signal's reason stays what it is. */
  async translating<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof UpdateLockError) throw cause;
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') {
        throw new NotAllowedError(`${this.url} may not be opened by this user: ${message}`, 'forbidden', { cause });
      }
      throw new UnreachableError(`The sidecar cannot be reached at ${this.url}: ${message || String(code)}`, { cause });
    }
  }
}
