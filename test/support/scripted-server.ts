import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { makeFolder } from './sidecar';

/** What a client has sent. */
export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly socket: Socket;
}

/** A server on a Unix socket that says what a test wants it to, byte for byte, however wrong. */
export class ScriptedServer {
  static readonly #all = new Set<ScriptedServer>();

  readonly requests: ScriptedRequest[] = [];
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(
    readonly folder: string,
    private answer: (request: ScriptedRequest) => void,
  ) {}

  static async start(answer: (request: ScriptedRequest) => void): Promise<ScriptedServer> {
    const server = new ScriptedServer(makeFolder(), answer);
    ScriptedServer.#all.add(server);
    await server.listen();
    return server;
  }

  get url(): string {
    return `unix:${join(this.folder, 'scripted.sock')}`;
  }

  async listen(): Promise<void> {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const [head = '', ...rest] = text.split('\r\n\r\n');
        const [first = '', ...fields] = head.split('\r\n');
        const headers = Object.fromEntries(fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()]));
        const body = rest.join('\r\n\r\n');
        if (rest.length === 0 || body.length < Number(headers['content-length'] ?? 0)) return;
        text = '';
        const [method = '', path = ''] = first.split(' ');
        const request = { method, path, headers, body, socket };
        this.requests.push(request);
        this.answer(request);
      });
    });
    this.#server.listen(join(this.folder, 'scripted.sock'));
    await once(this.#server, 'listening');
  }

  answerWith(answer: (request: ScriptedRequest) => void): void {
    this.answer = answer;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Ends it as a kill would. */
  async stop(): Promise<void> {
    if (this.#server === undefined) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  static async cleanUp(): Promise<void> {
    for (const server of ScriptedServer.#all) {
      await server.stop();
      rmSync(server.folder, { recursive: true, force: true });
    }
    ScriptedServer.#all.clear();
  }
}

/** A whole answer. */
export function answer(status: number, type: string, body: string, headers = ''): string {
  return `HTTP/1.1 ${String(status)} Whatever\r\nContent-Type: ${type}\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n${headers}\r\n${body}`;
}

export function jsonAnswer(document: unknown, status = 200): string {
  return answer(status, status < 400 ? 'application/json' : 'application/problem+json', JSON.stringify(document));
}

/** The head of an answer that goes on until the connection is closed. */
export function streamHead(type: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nConnection: close\r\n\r\n`;
}
