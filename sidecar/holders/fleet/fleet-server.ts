import { request as requestPlain, type IncomingMessage, type RequestOptions } from 'node:http';
import { messageOf, printable } from '../../../server/text';
import type { FleetNames } from './fleet-memory';
import type { TurnAnswer } from './fleet-answers';

/** A request takes no longer than this, in milliseconds. */
const TIMEOUT_MS = 15_000;

/** The rest of a longer answer is not read. Bytes. */
const MAX_ANSWER_BYTES = 16_384;

/** The longest text of a server that is shown, in characters. */
const MAX_SHOWN = 200;

export interface FleetServerOptions {
  /** Sent as `Authorization: Bearer`; null for none. */
  readonly token: string | null;
  /** Tells this device from another with the same id. */
  readonly instance: string;
  /** Certificates to trust beside the system's, in PEM; null for none. */
  readonly ca: string | null;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | null;
}

/**
 * A FleetLock server (coreos/zincati `docs/usage/updates-strategy.md`, `src/fleet_lock/mod.rs`). What goes wrong is a result;
 * nothing here throws.
 */
export class FleetServer {
  constructor(private readonly options: FleetServerOptions) {}

  /** `POST /v1/pre-reboot`: asks for a turn, or for the one that the device has. */
  async ask(names: FleetNames): Promise<TurnAnswer> {
    const answer = await this.#post(names, '/v1/pre-reboot');
    if (typeof answer === 'string') return { kind: 'none', detail: answer };
    if (answer.status === 200) return { kind: 'given' };
    const said = saidBy(answer);
    // Servers answer with 500 for a full group, but also for a store that did not tell in time what became of the request.
    const isClear = answer.status >= 400 && answer.status < 500 && said !== null;
    return { kind: isClear ? 'refused' : 'unclear', detail: said ?? `the server answered with status ${String(answer.status)}`, retryAfterMs: answer.retryAfterMs };
  }

  /** `POST /v1/steady-state`: gives a turn back. Null if that is done, else what is wrong. */
  async giveBack(names: FleetNames): Promise<{ readonly problem: string | null; readonly hasAnswered: boolean }> {
    const answer = await this.#post(names, '/v1/steady-state');
    if (typeof answer === 'string') return { problem: answer, hasAnswered: false };
    if (answer.status === 200) return { problem: null, hasAnswered: true };
    return { problem: saidBy(answer) ?? `the server answered with status ${String(answer.status)}`, hasAnswered: true };
  }

  /** The answer, or why there is none. */
  async #post({ url, group, id }: FleetNames, path: string): Promise<Answer | string> {
    const { token, instance, ca } = this.options;
    const body = JSON.stringify({ client_params: { id, group } });
    const options: RequestOptions & { ca?: string[] } = {
      method: 'POST',
      agent: false,
      headers: {
        'fleet-lock-protocol': 'true',
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        Accept: 'application/json',
        'User-Agent': 'update-lock',
        'Update-Lock-Instance': instance,
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      },
    };
    const isSecure = url.startsWith('https:');
    const request = isSecure ? (await import('node:https')).request : requestPlain;
    if (isSecure && ca !== null) options.ca = [...(await import('node:tls')).rootCertificates, ca];
    return new Promise((resolve) => {
      const sent = request(`${url}${path}`, options, (answer) => {
        read(answer).then(finish, (error: unknown) => { finish(messageOf(error)); });
      });
      const timer = setTimeout(() => { finish(`it did not answer within ${String(TIMEOUT_MS / 1000)} s`); }, TIMEOUT_MS).unref();
      const finish = (result: Answer | string): void => {
        clearTimeout(timer);
        resolve(typeof result === 'string' ? shown(result) : result);
        sent.destroy();
      };
      sent.on('error', (error) => { finish(messageOf(error)); });
      sent.on('close', () => { finish('it closed the connection before its answer was complete'); });
      sent.end(body);
    });
  }
}

async function read(answer: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) break;
  }
  const { statusCode = 0, headers } = answer;
  return { status: statusCode, body: Buffer.concat(chunks).toString('utf8'), retryAfterMs: retryAfterMs(headers['retry-after']) };
}

/** `Retry-After` in seconds; the other form, a date, would need two clocks that agree. */
function retryAfterMs(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1000 : null;
}

/** The `value` of an error of FleetLock, which is meant for people; null for any other answer. */
function saidBy({ body }: Answer): string | null {
  try {
    const { kind, value } = Object(JSON.parse(body)) as Record<string, unknown>;
    return typeof kind === 'string' && typeof value === 'string' ? shown(value === '' ? kind : value) : null;
  } catch {
    return null;
  }
}

function shown(text: string): string {
  return printable(text.slice(0, MAX_SHOWN));
}
