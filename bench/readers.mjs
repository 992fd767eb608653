// Reads `GET /v1/events` on so many connections, and says when all of them are open. Arguments: socket, count.
import { connect } from 'node:net';

const [socketPath, count] = process.argv.slice(2);
await Promise.all(
  Array.from({ length: Number(count) }, () => {
    const socket = connect(socketPath);
    socket.write('GET /v1/events HTTP/1.1\r\nHost: bench\r\n\r\n');
    return new Promise((resolve) => socket.on('data', resolve));
  }),
);
process.send('reading');
