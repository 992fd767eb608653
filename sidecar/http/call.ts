import type { Response } from 'express';
import type { HttpObservation } from '../metrics';
import type { TimedRequest } from './fast-express';
import { isGone, peerOf } from './peers';
import { problemBody, PROBLEMS, type ProblemCode, type ProblemDetails } from './problem';
import { SECURITY_HEADERS, securityHeaders } from './security-headers';

const METHODS = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);

/** One request and the way to answer it. Every answer goes out through here, once, and is measured here. */
export class Call {
  constructor(
    readonly request: TimedRequest & { readonly params?: Record<string, string> },
    readonly response: Response,
    /** The path as the OpenAPI document has it; for metrics, so never what the client sent. */
    private readonly route: string,
    private readonly observe: (observation: HttpObservation) => void,
  ) {}

  /** The `{name}` of the path. */
  get name(): string {
    return this.request.params?.['name'] ?? '';
  }

  /** Who asks: `unix` or an IP address. */
  get peer(): string {
    return peerOf(this.request.socket);
  }

  json(status: number, body: unknown, headers: readonly string[] = []): void {
    this.text(status, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`, headers);
  }

  problem(code: ProblemCode, detail: string, details?: ProblemDetails, headers: readonly string[] = []): void {
    const body = `${JSON.stringify(problemBody(code, detail, details))}\n`;
    this.text(PROBLEMS[code].status, 'application/problem+json; charset=utf-8', body, headers);
  }

  noContent(): void {
    this.#writeHead(204, []);
    this.response.end();
  }

  text(status: number, contentType: string, body: string, headers: readonly string[] = [], security = SECURITY_HEADERS): void {
    this.#writeHead(status, ['Content-Type', contentType, 'Content-Length', String(Buffer.byteLength(body)), ...headers], security);
    this.response.end(body);
  }

  /** An HTML document, under a policy of its own. */
  page(html: string, contentSecurityPolicy: string): void {
    this.text(200, 'text/html; charset=utf-8', html, [], securityHeaders(contentSecurityPolicy));
  }

  /** Begins an answer that goes on until somebody ends it. */
  stream(contentType: string, headers: readonly string[] = []): void {
    this.#writeHead(200, ['Content-Type', contentType, 'X-Accel-Buffering', 'no', ...headers]);
  }

  #hasUnreadBody(): boolean {
    const { complete, headers } = this.request;
    return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);
  }

  #writeHead(status: number, headers: readonly string[], security = SECURITY_HEADERS): void {
    // What is left of a body that nobody wants would be taken for the next request.
    const closing = this.#hasUnreadBody() ? ['Connection', 'close'] : [];
    if (!isGone(this.request.socket)) this.response.writeHead(status, [...headers, ...closing, ...security]);
    const { method = '' } = this.request;
    this.observe({
      method: METHODS.has(method) ? method : 'other',
      route: this.route,
      status,
      seconds: (performance.now() - this.request.receivedAtMs) / 1000,
    });
  }
}
