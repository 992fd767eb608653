import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One direction of a connection. */
interface Stream {
  readonly from: string;
  readonly to: string;
  readonly source: Socket;
  readonly sink: Socket;
}

/**
 * The network between processes of this machine: TCP proxies, through which they reach each other. Each way from one to another can be
 * cut on its own. What was sent meanwhile then arrives late, as with TCP, or the connection breaks.
 */
export class Network {
  readonly #servers: Server[] = [];
  readonly #streams = new Set<Stream>();
  readonly #cuts = new Set<string>();
  readonly #names = new Map<string, string>();
  lostBefore = 0;
  lostAfter = 0;
  /** The share of requests that are lost on the ways that lose some, half of them before they have arrived and half after. */
  loss = 0;

  constructor(private readonly random: () => number) {}

  /**
   * Opens a way to a port.
   * @param from who uses it; null if that is an etcd, whose name is then in the head of its first request (`server/etcdserver/api/rafthttp`)
   * @returns the port to connect to
   */
  async open(from: string | null, to: string, port: number): Promise<number> {
    const server = createServer((client) => {
      client.on('error', () => undefined);
      client.once('data', (first: Buffer) => {
        client.pause();
        client.unshift(first);
        this.#join(client, from ?? nameIn(first), to, port, from !== null);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Says by which other name one is known, too. */
  alias(other: string, name: string): void {
    this.#names.set(other, name);
  }

  /** Cuts the way from one to another; the way back is another one. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`);
    for (const stream of this.#streams) if (this.#isCut(stream)) stream.source.pause();
  }

  /** Opens all ways again. */
  heal(breaksConnections: boolean): void {
    const cut = [...this.#streams].filter((stream) => this.#isCut(stream));
    this.#cuts.clear();
    for (const { source, sink } of cut) {
      if (breaksConnections || source.destroyed) sink.destroySoon();
      if (breaksConnections) source.destroy();
      else source.resume();
    }
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const { source } of this.#streams) source.destroy();
  }

  #join(client: Socket, from: string, to: string, port: number, isLossy: boolean): void {
    const server = connect({ host: '127.0.0.1', port });
    server.on('error', () => undefined);
    this.#forward({ from, to, source: client, sink: server }, () => {
      this.lostBefore += 1;
    }, isLossy);
    this.#forward({ from: to, to: from, source: server, sink: client }, () => {
      this.lostAfter += 1;
    }, isLossy);
  }

  #forward(stream: Stream, lost: () => void, isLossy: boolean): void {
    const { source, sink } = stream;
    this.#streams.add(stream);
    source.on('data', (chunk: Buffer) => {
      if (isLossy && this.loss > 0 && this.random() < this.loss / 2) {
        lost();
        source.destroy();
        sink.destroy();
      } else {
        sink.write(chunk);
      }
    });
    source.on('close', () => {
      if (!this.#isCut(stream)) sink.destroySoon();
      sink.once('close', () => this.#streams.delete(stream));
      if (sink.closed) this.#streams.delete(stream);
    });
    if (this.#isCut(stream)) source.pause();
    else source.resume();
  }

  #isCut({ from, to }: Stream): boolean {
    return this.#cuts.has(`${this.#names.get(from) ?? from} ${this.#names.get(to) ?? to}`);
  }
}

function nameIn(head: Buffer): string {
  return /^x-server-from: *(\S+)/im.exec(head.toString('latin1'))?.[1] ?? '';
}
