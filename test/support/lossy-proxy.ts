import { createServer, request, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Stands between an HTTP client and its server, and loses requests: some before the server has seen them, some after it has answered. */
export class LossyProxy {
  readonly #server: Server;
  lostBefore = 0;
  lostAfter = 0;
  /** Which requests may be lost, by their bodies. */
  losesOnly: (body: string) => boolean = () => true;
  /** The share of requests that are lost, half of them before and half after. */
  loss = 0;

  private constructor(target: URL, random: () => number) {
    this.#server = createServer((incoming, outgoing) => {
      void text(incoming).then((body) => {
        const fate = this.losesOnly(body) ? random() / Math.max(this.loss, Number.MIN_VALUE) : 1;
        if (fate < 0.5) {
          this.lostBefore += 1;
          incoming.socket.destroy();
          return;
        }
        const forwarded = request(new URL(incoming.url ?? '/', target), { method: incoming.method, headers: incoming.headers }, (response) => {
          if (fate < 1) {
            this.lostAfter += 1;
            response.resume().on('end', () => { incoming.socket.destroy(); });
            return;
          }
          outgoing.writeHead(response.statusCode ?? 502, response.headers);
          response.pipe(outgoing);
        });
        forwarded.on('error', () => { incoming.socket.destroy(); });
        outgoing.on('close', () => { forwarded.destroy(); });
        forwarded.end(body);
      }, () => undefined);
    });
  }

  static async start(target: string, random: () => number): Promise<LossyProxy> {
    const proxy = new LossyProxy(new URL(target), random);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
