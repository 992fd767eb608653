import type { Server } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { isExclusive } from './peers';

/** A client that floods us gets no connection for so long, in milliseconds. */
const SHUT_OUT_MS = 1000;

/** What is known of a client while it has connections or is shut out. */
interface Client {
  readonly sockets: Set<Socket>;
  shutOutUntilMs: number;
}

const clients = new WeakMap<Socket, Client>();

/**
 * Leaves room for others: a new connection is accepted if its client has fewer than are still free. One client alone
 * gets half of them, the next half of what is left, and so on: there is always a place for one more.
 * (Choudhury and Hahne, "Dynamic queue length thresholds", 1998, where it shares the memory of a switch.)
 * @param clientOf who is on the other end
 */
export function limitConnections(server: Server, maxConnections: number, clientOf: (remoteAddress: string) => string): void {
  const byName = new Map<string, Client>();
  let total = 0;
  server.on('connection', (socket) => {
    const name = clientOf(socket.remoteAddress ?? '');
    const client = byName.get(name) ?? { sockets: new Set(), shutOutUntilMs: 0 };
    if (client.sockets.size >= maxConnections - total || performance.now() < client.shutOutUntilMs) {
      socket.destroy();
      return;
    }
    byName.set(name, client);
    clients.set(socket, client);
    client.sockets.add(socket);
    total += 1;
    socket.once('close', () => {
      total -= 1;
      client.sockets.delete(socket);
      if (client.sockets.size > 0) return;
      const leftMs = client.shutOutUntilMs - performance.now();
      const forget = (): void => {
        if (client.sockets.size === 0 && byName.get(name) === client) byName.delete(name);
      };
      if (leftMs > 0) setTimeout(forget, leftMs).unref();
      else forget();
    });
  });
}

/**
 * Ends the other connections of a client as well, before what it has sent on them costs us the same, and accepts none for
 * a second. Those that hold leases or wait for one stay: the harm is done by what is sent, and they send nothing.
 */
export function shutOut(socket: Socket): void {
  const client = clients.get(socket);
  if (client === undefined) return;
  client.shutOutUntilMs = performance.now() + SHUT_OUT_MS;
  for (const other of client.sockets) if (!isExclusive(other)) other.destroy();
}

/** An address is a client; of IPv6 its network, in which whoever has one address has them all (RFC 4291: 64 bits). */
export function clientAt(remoteAddress: string): string {
  if (!isIPv6(remoteAddress) || remoteAddress.includes('.')) return remoteAddress;
  const [head = [], tail] = remoteAddress.replace(/%.*/, '').split('::').map((part) => (part === '' ? [] : part.split(':')));
  const groups = tail === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.slice(0, 4).join(':');
}
