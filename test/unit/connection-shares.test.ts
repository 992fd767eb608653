import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { clientAt, shareConnections } from '../../server/http/connection-shares';

class FakeSocket extends EventEmitter {
  destroyed = false;

  constructor(readonly remoteAddress: string) {
    super();
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function listener(maxConnections: number): (address: string) => FakeSocket {
  const server = new EventEmitter();
  shareConnections(server as unknown as Server, maxConnections);
  return (address) => {
    const socket = new FakeSocket(address);
    server.emit('connection', socket);
    return socket;
  };
}

const accepted = (sockets: readonly FakeSocket[]): number => sockets.filter(({ destroyed }) => !destroyed).length;

test('one client gets half of the connections, and each one more a share of what is free', () => {
  const connect = listener(1000);
  const counts = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map((address) => accepted(Array.from({ length: 1500 }, () => connect(address))));
  expect(counts).toEqual([500, 250, 125, 63]);
});

test('a client without a connection always gets one: another that is idle makes room for it', () => {
  const connect = listener(2);
  connect('10.0.0.1');
  connect('10.0.0.2');
  expect(connect('10.0.0.3').destroyed).toBe(false);
  expect(connect('10.0.0.3').destroyed).toBe(true);
});

test('a client that closes one may open another', () => {
  const connect = listener(4);
  const [first] = [connect('10.0.0.1'), connect('10.0.0.1')];
  expect(connect('10.0.0.1').destroyed).toBe(true);
  first.destroy();
  expect(connect('10.0.0.1').destroyed).toBe(false);
  expect(connect('10.0.0.1').destroyed).toBe(true);
});

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['', ''],
])('the client at %j is %j', (address, client) => {
  expect(clientAt(address)).toBe(client);
});
