import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

export const CLI = resolve(__dirname, '../../client/dist/cli.cjs');

export interface CommandOptions {
  readonly url?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdio?: StdioOptions;
  readonly wrapper?: readonly string[];
}

/** The command `update-lock` in a process of its own. */
export class Command {
  static readonly #all = new Set<Command>();
  stdout = '';
  stderr = '';
  readonly #closed: Promise<number | NodeJS.Signals>;
  readonly #exited: Promise<number | NodeJS.Signals>;

  private constructor(readonly process: ChildProcess) {
    this.#exited = once(process, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
    this.#closed = once(process, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
    process.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stdout += chunk;
      process.emit('output' as 'spawn');
    });
    process.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
      process.emit('output' as 'spawn');
    });
    Command.#all.add(this);
  }

  static start(args: readonly string[], { url, environment = {}, stdio = 'pipe', wrapper = [] }: CommandOptions = {}): Command {
    const [file = '', ...rest] = [...wrapper, process.execPath, CLI, ...args];
    const env = { PATH: process.env['PATH'], TZ: 'UTC', ...(url === undefined ? {} : { UPDATE_LOCK_URL: url }), ...environment };
    return new Command(spawn(file, rest, { stdio, env }));
  }

  /** Runs one to its end. */
  static async run(args: readonly string[], options: CommandOptions = {}): Promise<{ exit: number | NodeJS.Signals; stdout: string; stderr: string }> {
    const command = Command.start(args, options);
    command.process.stdin?.end();
    const exit = await command.closed();
    return { exit, stdout: command.stdout, stderr: command.stderr };
  }

  /** Once it has written what matches. */
  async writes(pattern: RegExp, where: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this[where]);
      if (found !== null) return found;
      if (this.process.stdout?.closed !== false && (this.process.exitCode ?? this.process.signalCode) !== null) throw new Error(`it has ended without ${String(pattern)}: ${this.stdout}${this.stderr}`);
      await Promise.race([once(this.process, 'output'), this.#closed]);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Its exit, or the signal that ended it, without waiting for its outputs to be closed. */
  exited(): Promise<number | NodeJS.Signals> {
    return this.#exited;
  }

  closed(): Promise<number | NodeJS.Signals> {
    return this.#closed;
  }

  static async cleanUp(): Promise<void> {
    for (const { process: child } of Command.#all) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    Command.#all.clear();
  }
}
