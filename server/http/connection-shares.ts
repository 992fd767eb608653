import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';

/**
 * Gives each client a fair share of the connections: a client may open one more if it has fewer than are still free. One client
 * alone gets half of all, the next one half of the rest, and so on, so that there is always room for one more client.
 * (Choudhury and Hahne, "Dynamic queue length thresholds", 1998, where it shares the memory of a switch.)
 */
export function shareConnections(server: Server, maxConnections: number): void {
  const counts = new Map<string, number>();
  let total = 0;
  server.on('connection', (socket) => {
    const client = clientAt(socket.remoteAddress ?? '');
    const count = counts.get(client) ?? 0;
    // A client without a connection is always accepted: see serveOneAtATime, which makes room.
    if (count > 0 && count >= maxConnections - total) {
      socket.destroy();
      return;
    }
    counts.set(client, count + 1);
    total += 1;
    socket.once('close', () => {
      total -= 1;
      const left = (counts.get(client) ?? 1) - 1;
      if (left > 0) counts.set(client, left);
      else counts.delete(client);
    });
  });
}

/** Tells clients apart by their address; in IPv6 by the network, since one host can use all addresses of it (RFC 4291: 64 bits). */
export function clientAt(remoteAddress: string): string {
  if (!isIPv6(remoteAddress) || remoteAddress.includes('.')) return remoteAddress;
  const [head = [], tail] = remoteAddress.replace(/%.*/, '').split('::').map((part) => (part === '' ? [] : part.split(':')));
  const groups = tail === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.slice(0, 4).join(':');
}
