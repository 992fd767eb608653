// Starts what is measured, each in a lock directory of its own on a tmpfs.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export const memoryFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Whether this Node.js has a compile cache. If so, all servers run as in the image, with its options and a compile cache. */
export const IS_AS_IN_IMAGE = Number.parseInt(process.versions.node, 10) >= 22;

/** The folder of the compile cache; null without one. */
export const compileCache = IS_AS_IN_IMAGE ? mkdtempSync(join(memoryFolder, 'update-lock-bench-cache-')) : null;
process.once('exit', () => rmSync(compileCache ?? '', { recursive: true, force: true }));

const imageEnvironment = IS_AS_IN_IMAGE
  ? { NODE_OPTIONS: /SIDECAR_NODE_OPTIONS="(.*)"/.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))[1], NODE_COMPILE_CACHE: compileCache }
  : {};

export const BARE = 'bare';
/** The bare server with the looks and the journal of the sidecar. */
export const DURABLE = 'durable';
export const SIDECAR = 'sidecar';

export class Server {
  static start(kind, environment = {}) {
    const server = new Server();
    const base = mkdtempSync(join(memoryFolder, 'update-lock-bench-'));
    // As on a device, where the user who owns the lock files gets there: mkdtemp makes what only its maker may enter.
    chmodSync(base, 0o755);
    Object.assign(server, { base, directory: join(base, 'lock'), socketPath: join(base, 'socket'), startedAt: process.hrtime.bigint() });
    // Both alike: what is set for Node.js here (more certificates, say) may take longer than all the rest.
    const env = { PATH: process.env.PATH, ...imageEnvironment };
    server.process =
      kind === SIDECAR
        ? spawn(process.execPath, [join(root, 'dist/sidecar/main.js')], {
            stdio: 'ignore',
            env: { ...env, UPDATE_LOCK_DIR: server.directory, UPDATE_LOCK_STATE_DIR: `${server.directory}.state`, UPDATE_LOCK_SOCKET: server.socketPath, UPDATE_LOCK_PORT: 'off', ...environment },
          })
        : spawn(process.execPath, [join(root, 'bench/bare-server.mjs'), server.directory, server.socketPath, ...(kind === DURABLE ? ['durable'] : [])], { stdio: 'ignore', env });
    return server;
  }

  /** Milliseconds from the start until something is so; looked for without a pause. */
  async until(isSo) {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 0.5));
    return Number(process.hrtime.bigint() - this.startedAt) / 1e6;
  }

  untilHeld() {
    return this.until(() => existsSync(join(this.directory, 'resin-updates.lock')));
  }

  untilAnswering() {
    return this.until(() => answers(this.socketPath));
  }

  residentMiB() {
    return this.#mib(/VmRSS:\s+(\d+)/);
  }

  /** Resident memory without the pages of files, most of which are the program of Node.js. */
  ownMiB() {
    return this.#mib(/RssAnon:\s+(\d+)/);
  }

  #mib(pattern) {
    return Number(pattern.exec(readFileSync(`/proc/${this.process.pid}/status`, 'utf8'))[1]) / 1024;
  }

  /** How often any thread of the process has gone to sleep, and so been woken up, until now. */
  wakeUps() {
    return this.#sumOfThreads('status', /^voluntary_ctxt_switches:\s+(\d+)/m);
  }

  /** How long the threads of the process have run until now. */
  cpuSeconds() {
    return this.#sumOfThreads('schedstat', /^(\d+)/) / 1e9;
  }

  #sumOfThreads(file, pattern) {
    return readdirSync(`/proc/${this.process.pid}/task`)
      .map((task) => readFileSync(`/proc/${this.process.pid}/task/${task}/${file}`, 'utf8'))
      .map((text) => Number(pattern.exec(text)[1]))
      .reduce((sum, count) => sum + count, 0);
  }

  async stop() {
    this.process.kill('SIGTERM');
    await new Promise((resolve) => this.process.once('exit', resolve));
    rmSync(this.base, { recursive: true, force: true });
  }
}

function answers(socketPath) {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
