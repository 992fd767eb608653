// Runs the command beside a bare Node.js, and what it asks the sidecar for without either.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../client/dist/cli.js', import.meta.url));

/** Milliseconds that a process takes from its start to its end. */
function timeOf(args, environment = {}) {
  const start = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'ignore', env: { PATH: process.env.PATH, ...environment } });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve(Number(process.hrtime.bigint() - start) / 1e6);
      else reject(new Error(`${args.join(' ')} exited ${code}`));
    });
  });
}

/** Milliseconds of the shortest program there is. */
export function timeOfNothing() {
  return timeOf(['-e', '0']);
}

/** Milliseconds of `update-lock run -- true`. */
export function timeOfRun(socketPath) {
  return timeOf([CLI, 'run', '--', 'true'], { UPDATE_LOCK_URL: `unix:${socketPath}` });
}

/** Milliseconds of connecting, holding the lock and giving it back. */
export function timeOfHold(socketPath) {
  const start = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath, () => socket.write('POST /v1/leases/bench/hold HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n'));
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      received += chunk;
      if (received.includes('"held"')) socket.end();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(Number(process.hrtime.bigint() - start) / 1e6));
  });
}
