import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { routeTable, type RouteParts } from '../../coordinator/http/route-table';
import { openapiOf } from '../../coordinator/http/state-routes';
import { exchange, type Answer, type SendOptions, type Target } from './http';
import { Conformance } from './openapi';
import { removeFolder } from './remove-folder';
import { makeFolder } from './sidecar';

const MAIN = resolve(__dirname, '../../dist/coordinator/main.js');

export const ADMIN_TOKEN = 'the-admin-token';

/** The document, made as the coordinator makes it. */
export const conformance = new Conformance(openapiOf(routeTable({} as RouteParts)));

export interface AskOptions {
  readonly instance?: string;
  readonly token?: string;
  readonly group?: string;
}

/** A real coordinator: what `npm run build` made, in a process of its own. */
export class Coordinator {
  static readonly #all = new Set<Coordinator>();

  output = '';
  readonly #closed: Promise<number | NodeJS.Signals>;
  #isClosed = false;

  private constructor(
    readonly folder: string,
    readonly process: ChildProcess,
  ) {
    const collect = (chunk: string): void => {
      this.output += chunk;
      process.emit('output' as 'spawn');
    };
    process.stdout?.setEncoding('utf8').on('data', collect);
    process.stderr?.setEncoding('utf8').on('data', collect);
    this.#closed = once(process, 'close').then(([code, signal]) => {
      this.#isClosed = true;
      return (code ?? signal) as number | NodeJS.Signals;
    });
    Coordinator.#all.add(this);
  }

  /** Starts one without waiting for anything; on a file store in the folder unless the environment says otherwise. */
  static spawn(environment: Readonly<Record<string, string>> = {}, folder = makeFolder()): Coordinator {
    const all = {
      PATH: process.env['PATH'] ?? '',
      COORDINATOR_STORE: `file:${join(folder, 'store')}`,
      COORDINATOR_HOST: '127.0.0.1',
      COORDINATOR_PORT: '0',
      COORDINATOR_ADMIN_TOKEN: ADMIN_TOKEN,
      COORDINATOR_LOG_LEVEL: 'debug',
      ...environment,
    };
    return new Coordinator(folder, spawn(process.execPath, [MAIN], { env: all, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Starts one and waits until it answers. */
  static async start(environment: Readonly<Record<string, string>> = {}, folder?: string): Promise<Coordinator> {
    const coordinator = Coordinator.spawn(environment, folder);
    await coordinator.logged('ready');
    return coordinator;
  }

  /** The first line of the log with that message, once it is there. */
  async logged(message: string): Promise<Record<string, unknown>> {
    for (;;) {
      const isClosed = this.#isClosed;
      const found = this.lines().find((line) => line['message'] === message);
      if (found !== undefined) return found;
      if (isClosed) throw new Error(`the coordinator has exited without ${message}: ${this.output}`);
      await Promise.race([once(this.process, 'output'), this.#closed]);
    }
  }

  lines(): Record<string, unknown>[] {
    return this.output.split('\n').slice(0, -1).flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []));
  }

  get url(): URL {
    const listening = this.lines().find((line) => line['message'] === 'ready')?.['listening'] as string[];
    return new URL(listening[0] ?? '');
  }

  get target(): Target {
    return { host: '127.0.0.1', port: Number(this.url.port) };
  }

  /** Sends a request and reads the whole answer, which has to be as the OpenAPI document says. */
  async send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const answer = await exchange(this.target, method, path, options);
    conformance.expectConforming(method, path, answer);
    return answer;
  }

  admin(method: string, path: string, json?: unknown): Promise<Answer> {
    return this.send(method, path, { json, headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } });
  }

  /** Asks for a turn. */
  ask(id: string, options: AskOptions = {}): Promise<Answer> {
    return this.#fleetLock('/v1/pre-reboot', id, options);
  }

  /** Gives a turn back. */
  giveBack(id: string, options: AskOptions = {}): Promise<Answer> {
    return this.#fleetLock('/v1/steady-state', id, options);
  }

  /** One group, as its JSON says. */
  async group(name = 'default'): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
    return (await this.send('GET', `/v1/groups/${name}`)).body;
  }

  async holders(name = 'default'): Promise<string[]> {
    return ((await this.group(name)).holders as { id: string }[]).map(({ id }) => id);
  }

  async waiting(name = 'default'): Promise<string[]> {
    return ((await this.group(name)).waiting as { id: string }[]).map(({ id }) => id);
  }

  exited(): Promise<number | NodeJS.Signals> {
    return this.#closed;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | NodeJS.Signals> {
    this.process.kill(signal);
    return this.#closed;
  }

  #fleetLock(path: string, id: string, { group = 'default', instance, token }: AskOptions): Promise<Answer> {
    return this.send('POST', path, {
      json: { client_params: { id, group } },
      headers: {
        'fleet-lock-protocol': 'true',
        ...(instance === undefined ? {} : { 'Update-Lock-Instance': instance }),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
    });
  }

  /** Ends every coordinator of this test file, and what they have left behind. */
  static async cleanUp(): Promise<void> {
    for (const each of Coordinator.#all) {
      each.process.kill('SIGCONT');
      await each.kill();
      await removeFolder(each.folder);
    }
    Coordinator.#all.clear();
  }
}
