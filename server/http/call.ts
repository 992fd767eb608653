import type { Response } from 'express';
import type { TimedRequest } from './fast-express';
import { peerOf } from './peers';
import { problemBody, type Problem, type ProblemDetails } from './problem';
import { SECURITY_HEADERS, securityHeaders } from './security-headers';
import type { ForeignProtocol } from './route';
import type { Unsent } from './unsent';

/** How much of a refused body is read before the connection is closed: some clients send all of it before they read the answer. */
const MAX_DRAINED_BYTES = 256 * 1024;

export const JSON_TYPE = 'application/json; charset=utf-8';

const METHODS = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);

export interface HttpObservation {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** One request and its answer. Every answer is sent, and measured, here. */
export class Call {
  constructor(
    readonly request: TimedRequest & { readonly params?: Record<string, string> },
    readonly response: Response,
    /** The path as the OpenAPI document has it. It goes into metrics, so it is never the path that the client sent. */
    private readonly route: string,
    private readonly observe: (observation: HttpObservation) => void,
    private readonly unsent: Unsent,
    private readonly protocol?: ForeignProtocol,
  ) {}

  /** What stands for `{name}` in the path. */
  pathParameter(name: string): string {
    return this.request.params?.[name] ?? '';
  }

  /** The client: `unix` or an IP address. */
  get peer(): string {
    return peerOf(this.request.socket);
  }

  json(status: number, body: unknown, headers: readonly string[] = []): void {
    this.text(status, JSON_TYPE, `${JSON.stringify(body)}\n`, headers);
  }

  problem(problem: Problem, detail: string, details?: ProblemDetails, headers: readonly string[] = []): void {
    if (this.protocol !== undefined) {
      const { status, body } = this.protocol.error(problem, detail);
      this.json(status, body, headers);
      return;
    }
    const body = `${JSON.stringify(problemBody(problem, detail, details))}\n`;
    this.text(problem.status, 'application/problem+json; charset=utf-8', body, headers);
  }

  noContent(): void {
    this.#writeHead(204, []);
    this.response.end();
  }

  text(status: number, contentType: string, body: string, headers?: readonly string[], security?: readonly string[]): void {
    this.bytes(status, contentType, Buffer.from(body), headers, security);
  }

  /** @param body may be shared by many answers */
  bytes(status: number, contentType: string, body: Buffer, headers: readonly string[] = [], security = SECURITY_HEADERS): void {
    this.#writeHead(status, ['Content-Type', contentType, 'Content-Length', String(body.length), ...headers], security);
    this.unsent.add(this.response, body);
    if (!this.#hasUnreadBody()) {
      this.response.end(body);
      return;
    }
    this.response.write(body);
    this.#drain(() => { this.response.end(); });
  }

  /** An HTML document, under a policy of its own. */
  page(html: string, contentSecurityPolicy: string): void {
    this.text(200, 'text/html; charset=utf-8', html, [], securityHeaders(contentSecurityPolicy));
  }

  /** Begins an answer that stays open until it is ended by the caller or the client. */
  stream(contentType: string, headers: readonly string[] = []): void {
    this.#writeHead(200, ['Content-Type', contentType, 'X-Accel-Buffering', 'no', ...headers]);
  }

  /**
   * Writes to a stream.
   * @param onSent called when the bytes have been sent; nothing more may be written before that
   */
  write(bytes: Buffer, onSent: () => void): void {
    this.unsent.add(this.response, bytes);
    this.response.write(bytes, (error) => {
      this.unsent.remove(this.response);
      if (error == null) onSent();
    });
  }

  /** Closing a connection with unread bytes resets it, and a client that is still sending would see that instead of the answer. */
  #drain(onEnd: () => void): void {
    let left = MAX_DRAINED_BYTES;
    this.request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0 && left + chunk.length >= 0) onEnd();
    });
    this.request.once('end', onEnd);
  }

  #hasUnreadBody(): boolean {
    const { complete, headers } = this.request;
    return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);
  }

  #writeHead(status: number, headers: readonly string[], security = SECURITY_HEADERS): void {
    // The rest of a body that is not read would be taken for the next request.
    const closing = this.#hasUnreadBody() ? ['Connection', 'close'] : [];
    this.response.once('close', () => { this.unsent.remove(this.response); });
    if (!this.request.socket.destroyed) this.response.writeHead(status, [...headers, ...closing, ...security]);
    const { method = '' } = this.request;
    this.observe({
      method: METHODS.has(method) ? method : 'other',
      route: this.route,
      status,
      seconds: (performance.now() - this.request.receivedAtMs) / 1000,
    });
  }
}
