import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ASK, type GIVE_BACK } from './fleet-device';

/** `given`: the server has answered with a turn. `heard`: the device is sent that answer. `returns`: the device asks the server to take its turn back. */
export type TurnEvent = 'given' | 'refused' | 'heard' | 'returns' | 'returned';

/** Requests that the gate keeps before the server sees them, or whose answers with 200 it keeps from the devices. */
export interface Hold {
  readonly path: typeof ASK | typeof GIVE_BACK;
  readonly what: 'request' | 'answer';
  /** Only those of this device; of all if not given. */
  readonly of?: string;
}

interface Held {
  readonly id: string;
  readonly goOn: () => void;
  readonly drop: () => void;
}

/** Stands between the devices of a fleet and its server, tells what they say to each other, and holds up what a test wants held up. */
export class TurnGate {
  static readonly #all = new Set<TurnGate>();
  readonly #server = createServer((incoming, outgoing) => {
    this.#pass(incoming, outgoing).catch(() => { incoming.socket.destroy(); });
  });
  readonly #held = new Set<Held>();
  #hold: Hold | null = null;

  private constructor(
    /** Of the server: it may be another one after a restart. */
    public target: URL,
    private readonly tell: (event: TurnEvent, id: string) => void,
  ) {}

  static async start(target: URL, tell: (event: TurnEvent, id: string) => void): Promise<TurnGate> {
    const gate = new TurnGate(target, tell);
    TurnGate.#all.add(gate);
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  static cleanUp(): void {
    for (const gate of TurnGate.#all) {
      gate.#server.close();
      gate.#server.closeAllConnections();
    }
    TurnGate.#all.clear();
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  holdUp(hold: Hold | null): void {
    this.#hold = hold;
  }

  isHolding(id: string): boolean {
    return [...this.#held].some((held) => held.id === id);
  }

  /** Holds up nothing any more. What a device sent before it died reaches the server now. */
  open(): void {
    this.#hold = null;
    for (const held of this.#held) held.goOn();
  }

  /** Cuts the connections of what is held up, as the death of the server does. Whose they were. */
  drop(): string[] {
    const ids = [...this.#held].map(({ id }) => id);
    for (const held of this.#held) held.drop();
    return ids;
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await text(incoming);
    const { id } = (JSON.parse(body) as { client_params: { id: string } }).client_params;
    const asks = incoming.url === ASK;
    if (!asks) this.tell('returns', id);
    await this.#wait(incoming, 'request', id);
    const { answer, said } = await this.#ask(incoming, body);
    const isDone = answer.statusCode === 200;
    if (asks) this.tell(isDone ? 'given' : 'refused', id);
    else if (isDone) this.tell('returned', id);
    if (isDone) await this.#wait(incoming, 'answer', id);
    if (incoming.socket.destroyed) return;
    if (asks && isDone) this.tell('heard', id);
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(said);
  }

  async #ask({ url = '/', method, headers }: IncomingMessage, body: string): Promise<{ answer: IncomingMessage; said: string }> {
    const forwarded = request(new URL(url, this.target), { method, headers }).end(body);
    const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
    return { answer, said: await text(answer) };
  }

  async #wait({ url }: IncomingMessage, what: Hold['what'], id: string): Promise<void> {
    const hold = this.#hold;
    if (hold?.path !== url || hold?.what !== what || (hold.of ?? id) !== id) return;
    await new Promise<void>((goOn, reject) => {
      const held = { id, goOn: () => { this.#held.delete(held); goOn(); }, drop: () => { this.#held.delete(held); reject(new Error('dropped')); } };
      this.#held.add(held);
    });
  }
}
