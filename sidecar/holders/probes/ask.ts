import { lookup } from 'node:dns/promises';
import { messageOf } from '../../../server/text';
import type { LookupAddress } from 'node:dns';
import { request as requestPlain, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import type { LookupFunction } from 'node:net';
import { formatDuration } from '../../../server/duration';
import { bodyText } from './body-text';
import type { ProbeSettings } from './probe-settings';

/** The rest of a longer body is not read. */
const MAX_BODY_BYTES = 65_536;

/** The longest problem, in characters: a reason of a lease has 256. */
const MAX_PROBLEM_LENGTH = 160;

const CLOSED_EARLY = 'it closed the connection before its answer was complete';

export type AskResult =
  | { readonly ok: true; readonly text: string }
  /** In words for people, and without anything secret. */
  | { readonly ok: false; readonly problem: string };

/**
 * Asks a URL, once: no redirect is followed, no proxy used, no connection kept. Never takes longer than the time-out,
 * looking up the name and reading the body included, and never throws.
 */
export async function ask(settings: Pick<ProbeSettings, 'url' | 'authorization' | 'timeoutMs'>, signal: AbortSignal): Promise<AskResult> {
  const { url, authorization, timeoutMs } = settings;
  const request = url.protocol === 'https:' ? (await import('node:https')).request : requestPlain;
  const options: RequestOptions & { autoSelectFamily: true } = {
    agent: false,
    // So that all addresses of a name are looked up, which lookUpOnce relies on.
    autoSelectFamily: true,
    lookup: lookUpOnce,
    headers: {
      Accept: '*/*',
      'Accept-Encoding': 'identity',
      'User-Agent': 'update-lock',
      ...(authorization === null ? {} : { Authorization: authorization }),
    },
  };
  return new Promise((resolve) => {
    let sent: ClientRequest | undefined;
    const finish = (result: AskResult): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(result);
      sent?.destroy();
    };
    const fail = (problem: string): void => { finish({ ok: false, problem: safeText(problem) }); };
    const onAbort = (): void => { fail('it is not asked any more'); };
    const timer = setTimeout(() => { fail(`it did not answer within ${formatDuration(timeoutMs)}`); }, timeoutMs).unref();
    signal.addEventListener('abort', onAbort);
    try {
      sent = request(url, options, (answer) => {
        const refused = whyNot(answer);
        if (refused === null) read(answer, finish, fail);
        else fail(refused);
      });
      sent.on('error', (error) => { fail(messageOf(error)); });
      sent.on('close', () => { fail(CLOSED_EARLY); });
      sent.end();
    } catch (error) {
      fail(messageOf(error));
    }
  });
}

/** The lookups that have not been answered yet, by name. */
const lookups = new Map<string, Promise<LookupAddress[]>>();

/**
 * Looks a name up once for all who ask meanwhile. A lookup cannot be cancelled, and only two run at a time: while a device is
 * offline and name servers are silent for longer than a probe waits, the queue of lookups would grow without end.
 */
const lookUpOnce: LookupFunction = (hostname, _options, callback) => {
  const looking = lookups.get(hostname) ?? lookup(hostname, { all: true }).finally(() => lookups.delete(hostname));
  lookups.set(hostname, looking);
  looking.then((addresses) => { callback(null, addresses); }, (error: unknown) => { callback(error as NodeJS.ErrnoException, []); });
};

function whyNot({ statusCode = 0, headers }: IncomingMessage): string | null {
  if (statusCode >= 300 && statusCode < 400) return `it answered with status ${String(statusCode)}, and redirects are not followed`;
  if (statusCode < 200 || statusCode > 299) return `it answered with status ${String(statusCode)}`;
  // Of what a transfer may be encoded with, Node undoes the chunks and nothing else.
  const encodings = [headers['content-encoding'], headers['transfer-encoding']?.replace(/^chunked$/i, '')];
  const encoding = encodings.find((each = '') => !/^(identity)?$/i.test(each.trim()));
  return encoding === undefined ? null : `its answer is compressed (${encoding}), which it was asked not to do`;
}

function read(answer: IncomingMessage, finish: (result: AskResult) => void, fail: (problem: string) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  const done = (): void => {
    const isWhole = length < MAX_BODY_BYTES;
    const body = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES);
    finish({ ok: true, text: bodyText(body, answer.headers['content-type'], isWhole) });
  };
  answer.on('data', (chunk: Buffer) => {
    if (length >= MAX_BODY_BYTES) return;
    length += chunk.length;
    chunks.push(chunk);
    if (length >= MAX_BODY_BYTES) done();
  });
  answer.on('end', done);
  answer.on('error', () => { fail(CLOSED_EARLY); });
}

/** Text of a stranger's server, for the log and the interface: printable ASCII, shortened. */
function safeText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, MAX_PROBLEM_LENGTH);
}
