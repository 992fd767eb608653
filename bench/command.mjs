// Runs the command beside a bare Node.js, the shell script beside curl, and what they ask the sidecar for without either.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../client/dist/cli.cjs', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../client/sh/update-lock', import.meta.url));

/** Milliseconds that a process takes from its start to its end. */
function timeOf(command, args, environment = {}, stdio = 'ignore') {
  const start = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio, env: { PATH: process.env.PATH, ...environment } });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve(Number(process.hrtime.bigint() - start) / 1e6);
      else reject(new Error(`${command} ${args.join(' ')} exited ${code}`));
    });
  });
}

/** What is to be heard; a pipe takes a millisecond to make, so whatever is compared is to have one or none. */
const HEARD = ['ignore', 'pipe', 'ignore'];

/** Milliseconds of the shortest program there is. */
export function timeOfNothing() {
  return timeOf(process.execPath, ['-e', '0']);
}

/** The same of one that might be heard. */
export function timeOfNothingHeard() {
  return timeOf(process.execPath, ['-e', '0'], {}, HEARD);
}

/** Milliseconds of `update-lock run -- true`. */
export function timeOfRun(socketPath) {
  return timeOf(process.execPath, [CLI, 'run', '--', 'true'], { UPDATE_LOCK_URL: `unix:${socketPath}` });
}

/** Milliseconds from the start of `update-lock run` until what it runs has said something. */
export function timeToStart(socketPath) {
  const start = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const environment = { PATH: process.env.PATH, UPDATE_LOCK_URL: `unix:${socketPath}` };
    const child = spawn(process.execPath, [CLI, 'run', '--', 'echo'], { stdio: HEARD, env: environment });
    let startedMs;
    child.stdout.once('data', () => (startedMs = Number(process.hrtime.bigint() - start) / 1e6));
    child.once('close', () => (startedMs === undefined ? reject(new Error('update-lock run -- echo has said nothing')) : resolve(startedMs)));
  });
}

/** Milliseconds of one request by curl. */
export function timeOfCurl(socketPath) {
  return timeOf('curl', ['-q', '--silent', '--unix-socket', socketPath, 'http://localhost/v1/lock']);
}

/** Milliseconds of the shell script's `run -- true`. */
export function timeOfScript(shell, socketPath) {
  const [command, ...args] = shell;
  return timeOf(command, [...args, SCRIPT, 'run', '--', 'true'], { UPDATE_LOCK_URL: `unix:${socketPath}` });
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
