import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** A time, and the value as text. */
  readonly value: readonly [number, string];
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

/** A real Prometheus in a process of its own, on any free port. */
export class Prometheus {
  static readonly #all = new Set<Prometheus>();

  output = '';
  readonly #exited: Promise<unknown>;

  private constructor(private readonly process: ChildProcess) {
    const collect = (chunk: string): void => {
      this.output += chunk;
      process.emit('output' as 'spawn');
    };
    process.stdout?.setEncoding('utf8').on('data', collect);
    process.stderr?.setEncoding('utf8').on('data', collect);
    this.#exited = once(process, 'exit');
    Prometheus.#all.add(this);
  }

  /**
   * Starts one and waits until it is ready.
   * @param folder has the configuration, and gets the data
   */
  static async start(folder: string, file: string, args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}): Promise<Prometheus> {
    mkdirSync(join(folder, 'data'), { recursive: true });
    const data = mkdtempSync(join(folder, 'data', 'prometheus-'));
    const storage = args.some((arg) => /\bagent\b/.test(arg)) ? 'agent' : 'tsdb';
    const all = [`--config.file=${join(folder, file)}`, `--storage.${storage}.path=${data}`, '--web.listen-address=127.0.0.1:0', ...args];
    const env = { PATH: process.env['PATH'] ?? '', ...environment };
    const prometheus = new Prometheus(spawn('prometheus', all, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
    await prometheus.#logged(/Server is ready to receive web requests/);
    await prometheus.#logged(/msg="Listening on" address=\S+/);
    return prometheus;
  }

  get address(): string {
    return `http://${/msg="Listening on" address=(\S+)/.exec(this.output)?.[1] ?? ''}`;
  }

  /** What its API answers; throws with its error if the request or the expression is wrong. */
  async api(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
    const query = new URLSearchParams(parameters).toString();
    const response = await fetch(`${this.address}/api/v1/${path}?${query}`);
    const answer = (await response.json()) as { status: string; error?: string; data?: unknown };
    if (answer.status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${answer.error ?? ''}`);
    return answer.data;
  }

  async query(expression: string): Promise<readonly Series[]> {
    return (await this.api('query', { query: expression })).result as Series[];
  }

  async alerts(): Promise<readonly Alert[]> {
    return (await this.api('alerts')).alerts as Alert[];
  }

  static async cleanUp(): Promise<void> {
    for (const prometheus of Prometheus.#all) {
      prometheus.process.kill('SIGKILL');
      await prometheus.#exited;
    }
    Prometheus.#all.clear();
  }

  async #logged(line: RegExp): Promise<void> {
    while (!line.test(this.output)) {
      if (this.process.exitCode !== null || this.process.signalCode !== null) throw new Error(`Prometheus has exited: ${this.output}`);
      await Promise.race([once(this.process, 'output'), this.#exited]);
    }
  }
}
