import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';

/** How many bytes are parsed at once. At most 28 requests fit in; a second one ends the connection before the next bytes are parsed. */
const SLICE_BYTES = 512;

/** A connection without a request is closed after this time, in milliseconds. Node.js has a shorter limit, but every byte starts it anew. */
const IDLE_FOR_MS = 20_000;

interface Connection {
  isBusy: boolean;
  readonly idleTimer: NodeJS.Timeout;
}

/**
 * Fair scheduling: one request at a time on each connection, so that no client has more requests in a turn of the event loop than it
 * has connections. A request that is sent before the last one was answered ends the connection, which HTTP allows (RFC 9112, 9.3.2).
 *
 * If there are too many connections, the one that has been idle for longest is closed to make room for a new one.
 */
export function serveOneAtATime(server: Server, serve: RequestListener, maxConnections: number): RequestListener {
  const connections = new WeakMap<Socket, Connection>();
  /** The connections without a request, in the order in which they became idle. */
  const idle = new Set<Socket>();
  let open = 0;
  server.on('connection', (socket) => {
    if (socket.destroyed) return;
    open += 1;
    socket.once('close', () => {
      open -= 1;
      idle.delete(socket);
    });
    if (open > maxConnections) {
      const [longestIdle = socket] = idle;
      idle.delete(longestIdle);
      longestIdle.destroy();
      if (longestIdle === socket) return;
    }
    idle.add(socket);
    readInSlices(socket);
    const idleTimer = setTimeout(() => {
      if (!connection.isBusy) socket.destroy();
    }, IDLE_FOR_MS).unref();
    const connection: Connection = { isBusy: false, idleTimer };
    connections.set(socket, connection);
    socket.once('close', () => { clearTimeout(idleTimer); });
  });
  return (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (connection === undefined || connection.isBusy || socket.destroyed) {
      socket.destroy();
      return;
    }
    connection.isBusy = true;
    idle.delete(socket);
    response.once('close', () => {
      connection.isBusy = false;
      if (socket.destroyed) return;
      idle.add(socket);
      connection.idleTimer.refresh();
    });
    serve(request, response);
  };
}

/** Node.js would parse everything that has arrived, perhaps thousands of requests, before it notices that the connection was closed. */
function readInSlices(socket: Socket): void {
  const listeners = socket.listeners('data') as ((chunk: Buffer) => void)[];
  for (const parse of listeners) {
    socket.off('data', parse);
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length && !socket.destroyed; at += SLICE_BYTES) parse.call(socket, chunk.subarray(at, at + SLICE_BYTES));
    });
  }
}
