import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { send, type Answer, type Target } from './http';
import { removeFolder } from './remove-folder';
import { runFolder } from './test-run';

/** What was built, `main.js` and whatever that needs beside it. */
export const BUILT = resolve(__dirname, '../../dist/sidecar');

/** A folder on a tmpfs which every user can reach. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(runFolder(), 'test-'));
  chmodSync(folder, 0o755);
  return folder;
}

export interface SidecarOptions {
  /** Where everything of this sidecar is; a new folder if not given. */
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that runs the sidecar: `setpriv --reuid=1000 ...`. */
  readonly wrapper?: readonly string[];
  /** Where its files are, if not where they were built. */
  readonly built?: string;
}

/** A real sidecar: what `npm run build` made, in a process of its own. */
export class Sidecar {
  static readonly #all = new Set<Sidecar>();

  readonly directory: string;
  readonly socketPath: string;
  output = '';
  readonly #exited: Promise<number | NodeJS.Signals>;
  #isOver = false;

  private constructor(
    readonly folder: string,
    readonly process: ChildProcess,
    environment: Readonly<Record<string, string>>,
  ) {
    this.directory = environment['UPDATE_LOCK_DIR'] ?? '';
    this.socketPath = environment['UPDATE_LOCK_SOCKET'] ?? '';
    const collect = (chunk: string): void => {
      this.output += chunk;
      process.emit('output' as 'spawn');
    };
    process.stdout?.setEncoding('utf8').on('data', collect);
    process.stderr?.setEncoding('utf8').on('data', collect);
    // Not its exit: the last of its output may come after that.
    this.#exited = once(process, 'close').then(([code, signal]) => {
      this.#isOver = true;
      return (code ?? signal) as number | NodeJS.Signals;
    });
    Sidecar.#all.add(this);
  }

  /** Starts one without waiting for anything. */
  static spawn({ folder = makeFolder(), environment = {}, wrapper = [], built = BUILT }: SidecarOptions = {}): Sidecar {
    const all = {
      PATH: process.env['PATH'] ?? '',
      BALENA_APP_LOCK_PATH: join(folder, 'lock/updates.lock'),
      UPDATE_LOCK_DIR: join(folder, 'lock'),
      UPDATE_LOCK_STATE_DIR: join(folder, 'state'),
      UPDATE_LOCK_SOCKET: join(folder, 'update-lock.sock'),
      UPDATE_LOCK_PORT: 'off',
      UPDATE_LOCK_LOG_LEVEL: 'debug',
      ...environment,
    };
    const [command = '', ...args] = [...wrapper, process.execPath, join(built, 'main.js')] as readonly string[];
    return new Sidecar(folder, spawn(command, args, { env: all, stdio: ['ignore', 'pipe', 'pipe'] }), all);
  }

  /** Starts one and waits until it answers. */
  static async start(options: SidecarOptions = {}): Promise<Sidecar> {
    const sidecar = Sidecar.spawn(options);
    await sidecar.logged('ready');
    return sidecar;
  }

  /** Starts another on the same folder, as after a crash. */
  async startAgain(environment: Readonly<Record<string, string>> = {}): Promise<Sidecar> {
    return Sidecar.start({ folder: this.folder, environment });
  }

  /** The first line of the log with that message and those fields, or the `times`th of them, once it is there. */
  async logged(message: string, fields: Readonly<Record<string, unknown>> = {}, times = 1): Promise<Record<string, unknown>> {
    for (;;) {
      const isOver = this.#isOver;
      const found = this.lines().filter(
        (line) => line['message'] === message && Object.entries(fields).every(([key, value]) => line[key] === value),
      )[times - 1];
      if (found !== undefined) return found;
      if (isOver) throw new Error(`the sidecar has exited without ${message}: ${this.output}`);
      await Promise.race([once(this.process, 'output'), this.#exited]);
    }
  }

  /** The lines of the log that have arrived so far, not a last one of which only a part has. For what must not be there: {@link wholeLog}. */
  lines(): Record<string, unknown>[] {
    return this.output.split('\n').slice(0, -1).flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []));
  }

  /** Every line of its log: stops it in good order, after which none can come. */
  async wholeLog(): Promise<Record<string, unknown>[]> {
    await this.wholeOutput();
    return this.lines();
  }

  /** All that it says on standard output and error: stops it in good order first. */
  async wholeOutput(): Promise<string> {
    const status = await this.kill('SIGTERM');
    if (status !== 0) throw new Error(`the sidecar did not stop in good order, but with ${String(status)}: ${this.output}`);
    return this.output;
  }

  get target(): Target {
    return { socketPath: this.socketPath };
  }

  /** Its TCP listener, where the tests have turned that on with port 0. */
  get tcpTarget(): Target {
    const listening = this.lines().find((line) => line['message'] === 'ready')?.['listening'] as string[];
    const url = new URL(listening.find((address) => address.startsWith('http')) ?? '');
    return { host: '127.0.0.1', port: Number(url.port) };
  }

  send(method: string, path: string, options?: Parameters<typeof send>[3]): Promise<Answer> {
    return send(this.target, method, path, options);
  }

  put(name: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return this.send('PUT', `/v1/leases/${name}`, { json: parameters });
  }

  release(name: string): Promise<Answer> {
    return this.send('DELETE', `/v1/leases/${name}`);
  }

  get lockFiles(): string[] {
    return ['updates.lock', 'resin-updates.lock'].map((name) => join(this.directory, name));
  }

  /** The processor time that it has used so far, in milliseconds: unlike what goes by, it does not depend on how busy the machine is. */
  get processorMs(): number {
    // User and system time, in ticks of 10 ms, counted from the end of the name, which may have spaces.
    const fields = readFileSync(`/proc/${String(this.process.pid)}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    return 10 * (Number(fields[11]) + Number(fields[12]));
  }

  /** Its exit status, or the signal that ended it. */
  exited(): Promise<number | NodeJS.Signals> {
    return this.#exited;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | NodeJS.Signals> {
    this.process.kill(signal);
    return this.#exited;
  }

  /** Ends every sidecar of this test file, and what they have left behind. */
  static async cleanUp(): Promise<void> {
    for (const sidecar of Sidecar.#all) {
      sidecar.process.kill('SIGCONT');
      await sidecar.kill();
    }
    for (const { folder, directory } of Sidecar.#all) {
      for (const each of [folder, directory]) endGuards(each);
      await removeFolder(folder);
    }
    Sidecar.#all.clear();
  }
}

/** The guards that keep the flock of files in a folder. */
export function guardsIn(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return pid > 0 && pid !== process.pid && readlinkSync(`/proc/${String(pid)}/fd/3`).startsWith(`${folder}/`);
      } catch {
        return false;
      }
    });
}

/** Ends them, and what they have started. One of a sidecar that has died may end by itself meanwhile. */
export function endGuards(folder: string): void {
  for (const pid of guardsIn(folder)) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
