import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';

/** So many bytes are parsed before it is seen whether there is a second request in them: 28 of the shortest fit. */
const SLICE_BYTES = 512;

/** A connection without a request is closed after so long, in milliseconds. Node.js's own limit is shorter, but any byte puts it off. */
const IDLE_FOR_MS = 20_000;

interface Connection {
  isBusy: boolean;
  readonly idleTimer: NodeJS.Timeout;
}

/**
 * Fair reading: one request at a time on each connection, so that no client has more requests in a turn of the event loop than it
 * has connections. A request that is sent before the last one was answered ends the connection, which HTTP allows
 * (RFC 9112, 9.3.2); on a connection that holds a lease, or waits for one, it is a mistake anyway.
 *
 * Where there are too many connections, the one that has been without a request for longest makes room for a new one.
 */
export function serveOneAtATime(server: Server, serve: RequestListener, maxConnections: number): RequestListener {
  const connections = new WeakMap<Socket, Connection>();
  /** Those without a request, the longest idle first. */
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

/** Node.js would parse all that has arrived, which may be thousands of requests, before it notices that the connection was ended. */
function readInSlices(socket: Socket): void {
  const listeners = socket.listeners('data') as ((chunk: Buffer) => void)[];
  for (const parse of listeners) {
    socket.off('data', parse);
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length && !socket.destroyed; at += SLICE_BYTES) parse.call(socket, chunk.subarray(at, at + SLICE_BYTES));
    });
  }
}
