import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';

/**
 * Leaves room for others: a new connection is accepted if its client has fewer than are still free. One client alone
 * gets half of them, the next half of what is left, and so on: there is always a place for one more.
 * (Choudhury and Hahne, "Dynamic queue length thresholds", 1998, where it shares the memory of a switch.)
 */
export function shareConnections(server: Server, maxConnections: number): void {
  const counts = new Map<string, number>();
  let total = 0;
  server.on('connection', (socket) => {
    const client = clientAt(socket.remoteAddress ?? '');
    const count = counts.get(client) ?? 0;
    // A client without any is never turned away: the connection that has been idle for longest makes room for it.
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

/** An address is a client; of IPv6 its network, in which whoever has one address has them all (RFC 4291: 64 bits). */
export function clientAt(remoteAddress: string): string {
  if (!isIPv6(remoteAddress) || remoteAddress.includes('.')) return remoteAddress;
  const [head = [], tail] = remoteAddress.replace(/%.*/, '').split('::').map((part) => (part === '' ? [] : part.split(':')));
  const groups = tail === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.slice(0, 4).join(':');
}
