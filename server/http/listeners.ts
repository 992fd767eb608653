import { lstatSync, unlinkSync } from 'node:fs';
import { messageOf } from '../text';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { TrustedDirectory } from '../trusted-directory';
import type { App } from './app';
import { shareConnections } from './connection-shares';
import { serveOneAtATime } from './one-at-a-time';
import { rememberPeers } from './peers';
import { HTTP_PROBLEMS, problemBody, type Problem } from './problem';
import { SECURITY_HEADERS } from './security-headers';

/** Open connections at most, for each listener: a flood on TCP cannot shut out the Unix socket. */
const MAX_CONNECTIONS = 1000;

/** How many connections may wait to be accepted. Beyond that, a client of the Unix socket is refused, and the kernel of one of TCP tries again only after a second. */
const BACKLOG = 4096;

/** Limits for clients that send their request slowly or not at all. Milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
const CHECK_TIMEOUTS_EVERY_MS = 5000;
const KEEP_ALIVE_TIMEOUT_MS = 15_000;

/**
 * The head of a request stays in memory as long as the request lasts, which for a hold is hours. A reason of 256 characters in the
 * query takes up to 3 KiB; browsers and proxies send about twenty fields.
 */
const MAX_HEADER_BYTES = 12 * 1024;
const MAX_HEADER_FIELDS = 64;

/** After a stop, how long requests in progress may take, in milliseconds. */
const CLOSE_WITHIN_MS = 1000;

/** Where to listen. */
interface ListenConfig {
  readonly host: string;
  /** Null for no TCP listener. */
  readonly port: number | null;
  /** What can be done if it cannot listen on the port, for people. */
  readonly portRemedy: string;
  /** Null for no Unix socket. */
  readonly socketPath: string | null;
  /** What can be done if the socket cannot be made, for people. */
  readonly socketRemedy: string;
  /** Whether a socket that cannot be made is fatal. */
  readonly isSocketRequired: boolean;
  /** Its permission bits. */
  readonly socketMode: number;
  /** With a certificate TCP speaks TLS; both in PEM. */
  readonly tls?: Required<Pick<TlsOptions, 'cert' | 'key'>> | null;
}

/** A listener that cannot be opened; the message is for people. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** The TCP listener and the Unix socket: two servers, one app. */
export class Listeners {
  readonly #servers: Server[] = [];
  #tlsServer: NetServer | null = null;
  /** The addresses on which it listens, for the log. */
  readonly addresses: string[] = [];
  /** Listeners that could not be opened and are not required, in words for people. */
  readonly warnings: string[] = [];

  constructor(private readonly app: App) {}

  /** @throws ListenError if a required listener cannot be opened */
  async open({ host, port, portRemedy, socketPath, socketRemedy, isSocketRequired, socketMode, tls = null }: ListenConfig): Promise<void> {
    if (socketPath !== null) {
      try {
        await this.#openSocket(socketPath, socketMode);
      } catch (error) {
        const problem = `the Unix socket ${socketPath} cannot be made: ${messageOf(error)}; ${socketRemedy}`;
        if (isSocketRequired || port === null) throw new ListenError(problem);
        this.warnings.push(problem);
      }
    }
    if (port !== null) {
      let server: NetServer = this.#createServer(false);
      try {
        if (tls !== null) server = await this.#behindTls(server, tls);
        await listen(server, () => server.listen({ host, port, backlog: BACKLOG }));
      } catch (error) {
        throw new ListenError(`cannot listen on ${host}:${String(port)}: ${messageOf(error)}; ${portRemedy}`);
      }
      const { address, port: actual, family } = server.address() as AddressInfo;
      this.addresses.push(`${tls === null ? 'http' : 'https'}://${family === 'IPv6' ? `[${address}]` : address}:${String(actual)}`);
    }
  }

  /** Stops accepting connections at once; requests in progress have a moment to finish. */
  async close(): Promise<void> {
    this.#tlsServer?.close();
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => {
              resolve();
            });
            server.closeIdleConnections();
            setTimeout(() => {
              server.closeAllConnections();
            }, CLOSE_WITHIN_MS).unref();
          }),
      ),
    );
  }

  /** A server in front that hands on connections once TLS is agreed on, so that everything else is as without TLS. Loads TLS only here. */
  async #behindTls(server: NetServer, { cert, key }: Required<Pick<TlsOptions, 'cert' | 'key'>>): Promise<NetServer> {
    const { createServer: createTlsServer } = await import('node:tls');
    const tlsServer = createTlsServer({ cert, key, handshakeTimeout: HEADERS_TIMEOUT_MS, ALPNProtocols: ['http/1.1'] }, (socket) => {
      server.emit('connection', socket);
    });
    tlsServer.maxConnections = MAX_CONNECTIONS;
    this.#tlsServer = tlsServer;
    return tlsServer;
  }

  async #openSocket(path: string, mode: number): Promise<void> {
    const directory = TrustedDirectory.open(dirname(path), process.getuid?.() ?? 0);
    const place = directory.at(basename(path));
    try {
      if (await isStale(place)) unlinkSync(place);
      const server = this.#createServer(true);
      await listen(server, () => {
        // The socket is created with its mode. Changing the mode afterwards, by the path, might change that of another file.
        const before = process.umask(0o777 & ~mode);
        server.listen({ path: place, backlog: BACKLOG });
        process.umask(before);
      });
      // Closing it removes the socket by the same path.
      server.once('close', () => { directory.close(); });
    } catch (error) {
      directory.close();
      throw directory.named(error);
    }
    this.addresses.push(`unix:${path}`);
  }

  #createServer(isUnix: boolean): Server {
    const { handler, onConnection, serverOptions } = this.app;
    const server = createServer(
      {
        ...serverOptions,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: CHECK_TIMEOUTS_EVERY_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
        // The app answers these requests, too; Node.js would send an empty 400.
        requireHostHeader: false,
      },
    );
    // Clients of the Unix socket cannot be told apart.
    if (!isUnix) shareConnections(server, MAX_CONNECTIONS);
    // A client that ends its side of the connection after its request gets its answer: Node.js knows this, but not its types.
    Object.assign(server, { httpAllowHalfOpen: true });
    // Node.js drops fields beyond the limit in silence; with one more it shows that there are too many.
    server.maxHeadersCount = MAX_HEADER_FIELDS + 1;
    const serve = serveOneAtATime(server, (request, response) => {
      if (request.rawHeaders.length <= 2 * MAX_HEADER_FIELDS) handler(request, response);
      else answerRaw(request.socket, HTTP_PROBLEMS['too-large'], `The request's head has more than ${String(MAX_HEADER_FIELDS)} fields.`);
    }, MAX_CONNECTIONS);
    server.on('request', serve);
    rememberPeers(server, isUnix);
    server.on('connection', onConnection);
    server.on('clientError', answerClientError);
    server.on('checkExpectation', serve);
    server.on('connect', (_request, socket: Socket) => {
      answerRaw(socket, HTTP_PROBLEMS['method-not-allowed'], 'CONNECT is for proxies, and this is none.');
    });
    this.#servers.push(server);
    return server;
  }
}

/** Whether a crash has left a socket file that no process listens on. */
async function isStale(path: string): Promise<boolean> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (!stats.isSocket()) throw new Error('a file that is not a socket is in its place');
  return new Promise((resolve, reject) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      reject(new Error('another process listens on it'));
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve(true);
      else if (error.code === 'ENOENT') resolve(false);
      else reject(error);
    });
  });
}

async function listen(server: NetServer, start: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
    start();
  });
}

/** Answers requests that do not reach the app, because they are not HTTP, too large or too slow. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  answerRaw(socket, ...describeClientError(error));
}

/** Answers without the app, and closes the connection. */
function answerRaw(socket: Socket, problem: Problem, detail: string): void {
  const body = JSON.stringify(problemBody(problem, detail));
  const { status, title } = problem;
  const length = String(Buffer.byteLength(body));
  const headers = ['Content-Type', 'application/problem+json; charset=utf-8', 'Content-Length', length, 'Connection', 'close', ...SECURITY_HEADERS];
  const head = headers.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
  socket.end(`HTTP/1.1 ${String(status)} ${title}\r\n${head}\r\n${body}`);
}

function describeClientError({ code, message }: NodeJS.ErrnoException): [Problem, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [HTTP_PROBLEMS['too-large'], `The request's head is longer than ${String(MAX_HEADER_BYTES)} bytes.`];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [HTTP_PROBLEMS.malformed, 'The request did not arrive in time.'];
    default:
      return [HTTP_PROBLEMS.malformed, `This is not HTTP: ${message}.`];
  }
}
