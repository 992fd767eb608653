import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Sidecar } from './sidecar';

const UPDATE = { supervisor: 'reachable', pending: true, downloaded: true, downloading: false, failed: false, since: null, blockedBy: ['kiosk'], deadline: null, draining: false };

/** A sidecar in front of a real one: on a device on which an update waits. */
export class UpdateFront {
  #server: Server | undefined;
  #url = '';

  get url(): string {
    return this.#url;
  }

  async start(sidecar: Sidecar): Promise<void> {
    this.#server = createServer((asked, answer) => {
      const path = asked.url ?? '';
      if (path.startsWith('/v1/update')) answer.setHeader('Content-Type', 'application/json').end(JSON.stringify(UPDATE));
      else if (path === '/v1/events') sendEvents(answer);
      else forward(asked, answer, sidecar.socketPath);
    });
    const path = join(sidecar.folder, 'front.sock');
    this.#server.listen(path);
    await once(this.#server, 'listening');
    this.#url = `unix:${path}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}

function sendEvents(answer: ServerResponse): void {
  answer.setHeader('Content-Type', 'text/event-stream');
  for (const [type, data] of [['lock', { snapshot: true, summary: 'Nothing holds back updates.' }], ['update', UPDATE]] as const) {
    answer.write(`event: ${type}\nid: e-1\ndata: ${JSON.stringify(data)}\n\n`);
  }
}

function forward(asked: IncomingMessage, answer: ServerResponse, socketPath: string): void {
  const { method, url, headers } = asked;
  const forwarded = request({ socketPath, method, path: url, headers, agent: false }, (response) => {
    answer.writeHead(response.statusCode ?? 500, response.headers);
    answer.flushHeaders();
    response.pipe(answer);
    response.on('error', () => answer.destroy());
  });
  forwarded.on('error', () => answer.destroy());
  asked.socket.once('end', () => forwarded.destroy());
  asked.pipe(forwarded);
}
