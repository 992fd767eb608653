import { request, type IncomingHttpHeaders } from 'node:http';
import { expectConforming } from './openapi';

/** Where a sidecar listens. */
export type Target = { readonly socketPath: string } | { readonly host: string; readonly port: number };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, if it is JSON. */
  readonly body: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

export interface SendOptions {
  readonly json?: unknown;
  readonly form?: string;
  /** A body as it is. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a request to a sidecar and reads the whole answer, which has to be as the OpenAPI document says. */
export async function send(target: Target, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const answer = await exchange(target, method, path, options);
  expectConforming(method, path, answer);
  return answer;
}

/** Sends a request and reads the whole answer. */
export async function exchange(target: Target, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const body = options.json === undefined ? (options.form ?? options.raw) : JSON.stringify(options.json);
  const type = options.json === undefined ? (options.form === undefined ? undefined : 'application/x-www-form-urlencoded') : 'application/json';
  const headers: Record<string, string> = { ...(type === undefined ? {} : { 'Content-Type': type }), ...options.headers };
  if (body !== undefined) headers['Content-Length'] ??= String(Buffer.byteLength(body));
  return new Promise<Answer>((resolve, reject) => {
    const sent = request({ ...target, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        const isJson = (response.headers['content-type'] ?? '').includes('json') && text !== '';
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: isJson ? (JSON.parse(text) as unknown) : {} });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
