import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const UNIX = 'unix';
const peers = new WeakMap<Socket, string>();

/** Remembers of each connection where it came from, which a socket that has been closed cannot tell any more. */
export function rememberPeers(server: Server, isUnix: boolean): void {
  server.on('connection', (socket) => {
    peers.set(socket, isUnix ? UNIX : withoutMapping(socket.remoteAddress ?? 'unknown'));
  });
}

/** `unix` or an IP address. */
export function peerOf(socket: Socket): string {
  return peers.get(socket) ?? 'unknown';
}

/** Whether this came over the Unix socket: who may open that is for its permissions to say. */
export function isUnixPeer(socket: Socket): boolean {
  return peers.get(socket) === UNIX;
}

export function isGone(socket: Socket): boolean {
  return socket.destroyed || socket.readableEnded;
}

/**
 * Calls back once, as soon as the kernel reports that the other end has closed the connection, has been killed or has
 * reset it. A client that closes only its sending side is gone too: nothing tells it from one that was killed. The connection
 * is closed then.
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

/** An IPv4 address as such, also where the listener speaks IPv6. */
function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
