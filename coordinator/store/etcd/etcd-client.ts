import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { EtcdSettings } from '../../config/config';
import { messageOf } from '../../../server/text';

/** How long one member has to answer, in milliseconds. A follower that is cut off from the others does not. */
const ANSWER_WITHIN_MS = 2000;

/** Codes of gRPC with which etcd says that it has not done it, and never will. Of all others it may have. */
const REFUSALS: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 9, 11, 12, 16]);
const UNAUTHENTICATED = 16;

/** Errors of connections that were never made, so that nothing was sent. */
const NOT_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

export type Json = Readonly<Record<string, unknown>>;

/** etcd has refused. */
export class EtcdRefusal extends Error {
  override readonly name = 'EtcdRefusal';

  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** No answer: what was asked for may have been done, or may still be done. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** Nobody could be asked. */
export class NobodyAnswers extends Error {
  override readonly name = 'NobodyAnswers';
}

/** Speaks to the members of one etcd through their JSON gateway (etcd 3.4: `Documentation/dev-guide/api_grpc_gateway.md`). */
export class EtcdClient {
  readonly #agent: HttpAgent;
  readonly #request: typeof httpRequest;
  /** The member that answered last. */
  #current = 0;
  #token: string | null = null;

  constructor(private readonly settings: EtcdSettings) {
    const { endpoints, ca, cert, key } = settings;
    const isTls = endpoints[0]?.startsWith('https:') === true;
    const tls = { ...(ca === null ? {} : { ca }), ...(cert === null || key === null ? {} : { cert, key }) };
    this.#agent = isTls ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true });
    this.#request = isTls ? httpsRequest : httpRequest;
  }

  /**
   * Asks one member after the other.
   * @param isRepeatable it may be done twice; otherwise nobody else is asked once one may have done it
   * @throws EtcdRefusal, OutcomeUnknown, NobodyAnswers
   */
  async call(path: string, body: Json, isRepeatable: boolean): Promise<Json> {
    const { endpoints } = this.settings;
    let last: unknown = null;
    for (let tried = 0; tried < endpoints.length; tried += 1) {
      const at = (this.#current + tried) % endpoints.length;
      try {
        const answer = await this.#askWithToken(endpoints[at] ?? '', path, body);
        this.#current = at;
        return answer;
      } catch (error) {
        if (error instanceof EtcdRefusal) throw error;
        if (!isRepeatable && !NOT_SENT.has((error as NodeJS.ErrnoException).code ?? '')) {
          // The next request is better sent to somebody else.
          this.#current = (at + 1) % endpoints.length;
          throw new OutcomeUnknown(messageOf(error), { cause: error });
        }
        last = error;
      }
    }
    throw new NobodyAnswers(`no member of etcd answers: ${messageOf(last)}`, { cause: last });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #askWithToken(endpoint: string, path: string, body: Json): Promise<Json> {
    const { user, password } = this.settings;
    if (user === null) return this.#ask(endpoint, path, body);
    this.#token ??= await this.#logIn(endpoint, user, password ?? '');
    try {
      return await this.#ask(endpoint, path, body);
    } catch (error) {
      if (!(error instanceof EtcdRefusal && error.code === UNAUTHENTICATED)) throw error;
      // Tokens end, with the member that gave them for one.
      this.#token = await this.#logIn(endpoint, user, password ?? '');
      return this.#ask(endpoint, path, body);
    }
  }

  async #logIn(endpoint: string, name: string, password: string): Promise<string> {
    this.#token = null;
    const { token } = await this.#ask(endpoint, '/v3/auth/authenticate', { name, password });
    return String(token);
  }

  async #ask(endpoint: string, path: string, body: Json): Promise<Json> {
    const bytes = Buffer.from(JSON.stringify(body));
    const { status, answer } = await new Promise<{ status: number; answer: string }>((resolve, reject) => {
      const headers = {
        'Content-Type': 'application/json',
        'Content-Length': String(bytes.length),
        ...(this.#token === null ? {} : { Authorization: this.#token }),
      };
      const request = this.#request(new URL(path, endpoint), { method: 'POST', agent: this.#agent, headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }, (response) => {
        text(response).then((received) => { resolve({ status: response.statusCode ?? 0, answer: received }); }, reject);
      });
      request.on('error', reject);
      request.end(bytes);
    });
    if (status === 200) return JSON.parse(answer) as Json;
    const { code, message } = errorIn(answer);
    if (REFUSALS.has(code)) throw new EtcdRefusal(code, message);
    throw new Error(`etcd: ${message}`);
  }
}

/** The gateway itself has errors that are not JSON. */
function errorIn(answer: string): { readonly code: number; readonly message: string } {
  try {
    const { code = 0, message = answer } = JSON.parse(answer) as { code?: number; message?: string };
    return { code, message };
  } catch {
    return { code: 0, message: answer.trim().slice(0, 200) };
  }
}
