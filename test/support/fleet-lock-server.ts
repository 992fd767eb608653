import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface FleetRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a request is answered: as FleetLock says, with a status and a body, not at all, or by closing the connection, with or without having done it. */
export type Manner = 'usual' | 'hang' | 'reset' | 'lose the answer' | { readonly status: number; readonly body: string; readonly retryAfter?: string };

/** A FleetLock server with one group, and a record of what it is asked (coreos/airlock `internal/server`). */
export class FleetLockServer {
  static readonly #all = new Set<FleetLockServer>();
  readonly requests: FleetRequest[] = [];
  readonly turns = new Set<string>();
  manner: Manner = 'usual';

  private constructor(
    private readonly server: Server,
    public slots: number,
    private readonly scheme: string,
  ) {}

  /** @param tls a key and a certificate in PEM; plain HTTP without */
  static async start(slots = 1, tls: { readonly key: string; readonly cert: string } | null = null): Promise<FleetLockServer> {
    const listener: RequestListener = (request, response) => {
      void text(request).then((body) => {
        const { method = '', url = '', headers } = request;
        made.requests.push({ method, path: url, headers, body });
        const { manner } = made;
        if (manner === 'hang') return;
        if (manner === 'lose the answer') made.#answer(url, body);
        if (manner === 'reset' || manner === 'lose the answer') {
          request.socket.resetAndDestroy();
          return;
        }
        const { status, answer, retryAfter } = manner === 'usual' ? made.#answer(url, body) : { status: manner.status, answer: manner.body, retryAfter: manner.retryAfter };
        if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(answer);
      });
    };
    const server = tls === null ? createServer(listener) : createSecureServer(tls, listener);
    // A client may refuse the certificate.
    server.on('tlsClientError', () => undefined);
    const made = new FleetLockServer(server, slots, tls === null ? 'http' : 'https');
    FleetLockServer.#all.add(made);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  static cleanUp(): void {
    for (const { server } of FleetLockServer.#all) {
      server.closeAllConnections();
      server.close();
    }
    FleetLockServer.#all.clear();
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }

  #answer(path: string, body: string): { status: number; answer: string; retryAfter?: string } {
    const { id } = (JSON.parse(body) as { client_params: { id: string } }).client_params;
    if (path.endsWith('/v1/steady-state')) {
      this.turns.delete(id);
      return { status: 200, answer: '' };
    }
    if (!this.turns.has(id) && this.turns.size >= this.slots) {
      return { status: 423, answer: JSON.stringify({ kind: 'all_slots_full', value: 'all slots of the group are taken' }), retryAfter: '5' };
    }
    this.turns.add(id);
    return { status: 200, answer: '' };
  }
}
