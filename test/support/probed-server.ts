import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import { createServer as createRawServer, type AddressInfo, type Server as RawServer, type Socket } from 'node:net';

/** What a server answers: a body, or whatever it likes to do. */
export type Behaviour = string | ((request: IncomingMessage, response: ServerResponse) => void);

/** A service that probes ask. It counts how often, and by how many at once. */
export class ProbedServer {
  static readonly #all = new Set<{ close(): void }>();

  readonly requests: IncomingMessage[] = [];
  readonly arrivedAtMs: number[] = [];
  mostAtOnce = 0;
  readonly url: string;
  #now = 0;

  private constructor(
    private readonly server: Server,
    public behaviour: Behaviour,
  ) {
    this.url = urlOf(server);
    // Without a listener, a client that refuses our certificate would be an error here.
    server.on('tlsClientError', () => undefined);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.requests.push(request);
      this.arrivedAtMs.push(performance.now());
      this.#now += 1;
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#now);
      response.on('close', () => { this.#now -= 1; });
      response.on('error', () => undefined);
      this.server.emit('asked');
      if (typeof this.behaviour === 'string') response.end(this.behaviour);
      else this.behaviour(request, response);
    });
  }

  /** Over TLS if it is given a certificate. */
  static async start(behaviour: Behaviour, certificate?: { readonly key: Buffer; readonly cert: Buffer }): Promise<ProbedServer> {
    const server = certificate === undefined ? createServer() : createTlsServer(certificate);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const started = new ProbedServer(server, behaviour);
    ProbedServer.#all.add({
      close: () => {
        server.close();
        server.closeAllConnections();
      },
    });
    return started;
  }

  /** One that speaks as it likes once it is connected to; returns its URL. */
  static async startRaw(speak: (socket: Socket) => void): Promise<string> {
    const sockets = new Set<Socket>();
    const server = createRawServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      speak(socket);
    });
    ProbedServer.#all.add({
      close: () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return urlOf(server);
  }

  /** Once it has been asked so many times. */
  async asked(times: number): Promise<void> {
    while (this.requests.length < times) await once(this.server, 'asked');
  }

  /** Once it has been asked so many times more. */
  askedAgain(times: number): Promise<void> {
    return this.asked(this.requests.length + times);
  }

  /** Goes away: nobody can connect any more. */
  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  static cleanUp(): void {
    for (const server of ProbedServer.#all) server.close();
    ProbedServer.#all.clear();
  }
}

function urlOf(server: RawServer | Server): string {
  const scheme = server instanceof TlsServer ? 'https' : 'http';
  return `${scheme}://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
}
