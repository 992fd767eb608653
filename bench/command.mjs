// Runs the command beside a bare Node.js, and the shell script beside curl.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../client/dist/cli.cjs', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../client/sh/update-lock', import.meta.url));

/** Milliseconds that a process takes from its start to its end. */
function timeOf(command, args, environment = {}) {
  const start = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'ignore', env: { PATH: process.env.PATH, ...environment } });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve(Number(process.hrtime.bigint() - start) / 1e6);
      else reject(new Error(`${command} ${args.join(' ')} exited ${code}`));
    });
  });
}

/** Milliseconds of the shortest program there is. */
export function timeOfNothing() {
  return timeOf(process.execPath, ['-e', '0']);
}

/** Milliseconds of `update-lock run -- true`. */
export function timeOfRun(socketPath) {
  return timeOf(process.execPath, [CLI, 'run', '--', 'true'], { UPDATE_LOCK_URL: `unix:${socketPath}` });
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
