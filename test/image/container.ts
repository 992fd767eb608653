import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ImageConfig } from './image-store';

/** Docker's default ones, by which root in a container is less than root. */
const CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'MKNOD', 'AUDIT_WRITE', 'SETFCAP'];

export interface ContainerOptions {
  readonly root: string;
  readonly config: ImageConfig;
  /** A network namespace that is there already. */
  readonly network: string;
  /** What of outside is seen inside, by the path inside. Everything else is read-only. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly capabilities?: readonly string[];
}

export interface Ran {
  readonly status: number;
  readonly output: string;
}

/** An image that runs by its own word, in namespaces of its own, as the first process there, on a read-only root. */
export class Container {
  output = '';
  readonly #exited: Promise<number | NodeJS.Signals>;

  private constructor(
    readonly process: ChildProcess,
    /** The container's first process, as it is known outside. */
    readonly pid: number,
    readonly environment: Readonly<Record<string, string>>,
  ) {
    for (const stream of [process.stdout, process.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.output += chunk;
        process.emit('output' as 'spawn');
      });
    }
    this.#exited = once(process, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  }

  static async start({ root, config, network, mounts, environment = {}, capabilities = CAPABILITIES }: ContainerOptions): Promise<Container> {
    const all = { ...Object.fromEntries(config.Env.map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)])), ...environment };
    const process = spawn(
      'nsenter',
      [
        ...[`--net=/run/netns/${network}`, 'bwrap', '--json-status-fd', '3'],
        ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--as-pid-1', '--die-with-parent'],
        ...['--bind', root, '/', '--proc', '/proc', '--dev', '/dev'],
        ...Object.entries(mounts).flatMap(([inside, outside]) => ['--bind', outside, inside]),
        ...['--remount-ro', '/', '--chdir', '/'],
        ...['--cap-drop', 'ALL', ...capabilities.flatMap((name) => ['--cap-add', `CAP_${name}`])],
        ...['--clearenv', ...Object.entries(all).flatMap(([name, value]) => ['--setenv', name, value])],
        // A runtime changes the user itself.
        ...(config.User === '0' ? [] : ['setpriv', '--reuid', config.User, '--regid', config.User, '--clear-groups']),
        ...(config.Entrypoint ?? []),
        ...(config.Cmd ?? []),
      ],
      { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
    );
    const [chunk] = (await once(process.stdio[3] as Readable, 'data')) as [Buffer];
    const pid = Number(/"child-pid": (\d+)/.exec(chunk.toString())?.[1]);
    if (!(pid > 0)) throw new Error(`bwrap said ${chunk.toString()}`);
    return new Container(process, pid, all);
  }

  /** Once it has printed that. */
  async printed(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.process.exitCode !== null) throw new Error(`exited without ${text}: ${this.output}`);
      await Promise.race([once(this.process, 'output'), this.#exited]);
    }
  }

  /** Runs a command inside, as `docker exec` does. */
  run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const variables = Object.entries({ ...this.environment, ...environment }).map(([name, value]) => `${name}=${value}`);
    const args = ['--target', String(this.pid), '--mount', '--pid', '--net', '--ipc', '--uts', '--wdns=/', 'env', '-i', ...variables, ...command];
    return new Promise((resolve) => {
      const child = execFile('nsenter', args, (_error, stdout, stderr) => {
        resolve({ status: child.exitCode ?? -1, output: stdout + stderr });
      });
    });
  }

  /** The processes inside that have ended and that nobody has waited for. */
  zombies(): string[] {
    return this.#childrenOfFirst().filter((stat) => stat.includes(') Z '));
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Its exit status, or the signal that ended it. */
  exited(): Promise<number | NodeJS.Signals> {
    return this.#exited;
  }

  async kill(): Promise<void> {
    if (this.process.exitCode === null) this.signal('SIGKILL');
    await this.#exited;
  }

  #childrenOfFirst(): string[] {
    return readdirSync('/proc').flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
        return stat.slice(stat.lastIndexOf(')')).split(' ')[2] === String(this.pid) ? [stat] : [];
      } catch {
        // No process, or one that has just gone.
        return [];
      }
    });
  }
}
