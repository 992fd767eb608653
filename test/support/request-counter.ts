import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { makeFolder } from './sidecar';

/** Stands between a client and a sidecar, and counts what goes through. */
export class RequestCounter {
  readonly #folder = makeFolder();
  #server: Server | undefined;
  /** The first lines of the requests. */
  readonly requests: string[] = [];
  connections = 0;

  async start(socketPath: string): Promise<string> {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      this.connections += 1;
      const sidecar = connect({ path: socketPath, allowHalfOpen: true });
      for (const socket of [client, sidecar]) socket.on('error', () => { client.destroy(); sidecar.destroy(); });
      client.on('data', (chunk) => {
        for (const [line] of chunk.toString('latin1').matchAll(/^[A-Z]+ \S+ HTTP\/1\.1$/gm)) this.requests.push(line);
      });
      client.pipe(sidecar).pipe(client);
    });
    const path = join(this.#folder, 'counter.sock');
    this.#server.listen(path);
    await once(this.#server, 'listening');
    return `unix:${path}`;
  }

  async stop(): Promise<void> {
    if (this.#server !== undefined) await new Promise((resolve) => this.#server?.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
