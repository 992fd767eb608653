// Reads `GET /v1/events` on so many connections, and says when all of them are open. Arguments: socket, count.
import { connect } from 'node:net';

const [socketPath, count] = process.argv.slice(2);
// One after the other: a Unix socket refuses those for which there is no room in its queue.
for (let i = 0; i < Number(count); i += 1) {
  const socket = connect(socketPath);
  socket.write('GET /v1/events HTTP/1.1\r\nHost: bench\r\n\r\n');
  await new Promise((resolve) => socket.on('data', resolve));
}
process.send('reading');
