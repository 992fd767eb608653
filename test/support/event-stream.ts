import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Target } from './http';
import { expectSchema } from './openapi';

export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** A reader of `GET /v1/events`. Every message has to be as the OpenAPI document says. */
export class EventStream {
  readonly events: SentEvent[] = [];
  comments = 0;
  #text = '';

  private constructor(
    readonly request: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      this.#text += chunk;
      const complete = this.#text.split('\n\n');
      this.#text = complete.pop() ?? '';
      for (const message of complete) this.#take(message);
      response.emit('events');
    });
    response.on('error', () => undefined);
  }

  static async open(target: Target, lastEventId?: string): Promise<EventStream> {
    const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
    const sent = request({ ...target, path: '/v1/events', headers, agent: false });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    sent.on('error', () => undefined);
    return new EventStream(sent, response);
  }

  get lastId(): string {
    return this.events.at(-1)?.id ?? '';
  }

  /** The first event for which that is so, among those after the first `after`; waits until it is there. */
  async next(isSo: (event: SentEvent) => boolean, after = 0): Promise<SentEvent> {
    for (;;) {
      const found = this.events.slice(after).find(isSo);
      if (found !== undefined) return found;
      if (this.response.closed) throw new Error(`the stream has ended without ${isSo.toString()}`);
      await Promise.race([once(this.response, 'events'), once(this.response, 'close')]);
    }
  }

  /** Once the present state has been sent. */
  async opened(): Promise<SentEvent[]> {
    await this.next(({ event }) => event === 'update');
    return this.events;
  }

  async ended(): Promise<void> {
    if (!this.response.closed) await new Promise((resolve) => this.response.once('close', resolve));
  }

  close(): void {
    this.request.destroy();
  }

  #take(message: string): void {
    const lines = message.split('\n');
    if (message.startsWith(':')) this.comments += 1;
    if (!lines.some((line) => line.startsWith('data:'))) return;
    const field = (name: string): string => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
    const event = { id: field('id'), event: field('event'), data: JSON.parse(field('data')) as unknown };
    expectSchema({ $ref: '#/components/schemas/Event' }, event, 'event');
    this.events.push(event);
  }
}
