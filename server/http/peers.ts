import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const UNIX = 'unix';
const peers = new WeakMap<Socket, string>();

/** Remembers the address of each connection's client: a socket that was closed does not know it any more. */
export function rememberPeers(server: Server, isUnix: boolean): void {
  server.on('connection', (socket) => {
    peers.set(socket, isUnix ? UNIX : withoutMapping(socket.remoteAddress ?? 'unknown'));
  });
}

/** `unix` or an IP address. */
export function peerOf(socket: Socket): string {
  return peers.get(socket) ?? 'unknown';
}

/** Whether the connection came over the Unix socket, whose permissions decide who may open it. */
export function isUnixPeer(socket: Socket): boolean {
  return peers.get(socket) === UNIX;
}

export function isGone(socket: Socket): boolean {
  return socket.destroyed || socket.readableEnded;
}

/**
 * Calls back once, as soon as the kernel reports that the client has closed or reset the connection, or was killed, and closes the
 * connection. A client that closes only its sending side counts as gone: it looks the same as one that was killed.
 * @returns stops listening
 */
export function onGone(socket: Socket, callback: () => void): () => void {
  if (isGone(socket)) {
    callback();
    socket.destroy();
    return () => undefined;
  }
  const stop = (): void => {
    socket.off('end', gone);
    socket.off('close', gone);
  };
  const gone = (): void => {
    stop();
    callback();
    socket.destroy();
  };
  socket.once('end', gone);
  socket.once('close', gone);
  return stop;
}

/** Shows an IPv4 address as such if the listener speaks IPv6. */
function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
