import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Target } from './http';
import { expectSchema } from './openapi';

/* eslint-disable @typescript-eslint/no-explicit-any */
type Line = Record<string, any>;

/** A client that holds a lease by connection. Every line it is sent has to be as the OpenAPI document says. */
export class Hold {
  readonly lines: Line[] = [];
  #text = '';

  private constructor(
    readonly request: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      // A refusal is a problem document.
      if (this.status !== 200) return;
      this.#text += chunk;
      const complete = this.#text.split('\n');
      this.#text = complete.pop() ?? '';
      for (const text of complete) {
        const line = JSON.parse(text) as Line;
        expectSchema({ $ref: '#/components/schemas/HoldLine' }, line, 'hold');
        this.lines.push(line);
      }
      response.emit('lines');
    });
    response.on('error', () => undefined);
  }

  static async open(target: Target, name: string, query = '', headers: Readonly<Record<string, string>> = {}): Promise<Hold> {
    const sent = request({ ...target, method: 'POST', path: `/v1/leases/${name}/hold${query}`, headers, agent: false });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    sent.on('error', () => undefined);
    return new Hold(sent, response);
  }

  get status(): number {
    return this.response.statusCode ?? 0;
  }

  /** The first line of that event, once it is there. */
  async line(event: string): Promise<Line> {
    for (;;) {
      const found = this.lines.find((line) => line['event'] === event);
      if (found !== undefined) return found;
      if (this.response.closed) throw new Error(`the stream has ended without ${event}`);
      await Promise.race([once(this.response, 'lines'), once(this.response, 'close')]);
    }
  }

  /** Once the sidecar has ended it, or cut it off. */
  async ended(): Promise<void> {
    if (!this.response.closed) await new Promise((resolve) => this.response.once('close', resolve));
  }

  close(): void {
    this.request.destroy();
  }
}
