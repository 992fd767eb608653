// A client that does its worst: node flooder.mjs WAY PORT|SOCKET. Says "begun" once it has, and goes on until it is killed.
import { connect } from 'node:net';

const [way, where] = process.argv.slice(2);
// An address of its own, as every container has.
const target = where.startsWith('/') ? { path: where } : { host: '127.0.0.1', port: Number(where), localAddress: '127.0.0.2' };
const request = 'GET /v1/lock HTTP/1.1\r\nHost: x\r\n\r\n';

/** What is done on a connection: nothing, one request after another, or thousands without waiting for answers. */
const WAYS = {
  connections: [1500, () => undefined],
  requests: [200, (socket) => { socket.write(request); socket.on('data', () => socket.write(request)); }],
  pipeline: [20, (socket) => { const more = () => { while (socket.writable && socket.write(request.repeat(1000))); }; socket.on('drain', more); more(); }],
};
const [connections, use] = WAYS[way];

let attempts = 0;
function open() {
  const socket = connect(target, () => { use(socket); });
  socket.resume().on('error', () => undefined).on('close', () => {
    attempts += 1;
    if (attempts === 20) console.log('begun');
    setTimeout(open, 1);
  });
  if (way === 'requests') socket.once('data', () => { attempts += 1; if (attempts === 100) console.log('begun'); });
}
for (let count = 0; count < connections; count += 1) open();
