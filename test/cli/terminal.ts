import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { CLI } from './command';

export const KEYS = { interrupt: '\x03', quit: '\x1c', suspend: '\x1a', end: '\x04' } as const;

/** An interactive shell on a terminal of its own, at which a person types. */
export class Terminal {
  static readonly #all = new Set<Terminal>();
  output = '';
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #exited: Promise<unknown>;

  private constructor(shell: string, url: string, environment: Readonly<Record<string, string>>) {
    this.#process = spawn('script', ['-qfec', `stty cols 80 rows 24 -echo; exec ${shell}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], TERM: 'xterm', TZ: 'UTC', PS1: '$ ', UPDATE_LOCK_URL: url, ...environment },
    });
    this.#exited = once(this.#process, 'exit');
    this.#process.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.output += chunk;
      this.#process.emit('output' as 'spawn');
    });
    Terminal.#all.add(this);
  }

  /** With a shell that knows the command as `update-lock`. */
  static async open(url: string, environment: Readonly<Record<string, string>> = {}): Promise<Terminal> {
    const terminal = new Terminal('bash --norc --noprofile -i', url, environment);
    terminal.type(`update-lock() { ${process.execPath} ${CLI} "$@"; }; echo ready-$((1))\n`);
    await terminal.shows(/ready-1/);
    return terminal;
  }

  /** With a zsh in which Tab completes. */
  static async openZsh(url: string, path: string): Promise<Terminal> {
    const terminal = new Terminal('zsh -f -i', url, { PATH: path });
    terminal.type(`autoload -U compinit && compinit -D -u; source <(update-lock completion zsh); echo ready-$((1))\n`);
    await terminal.shows(/ready-1/);
    return terminal;
  }

  type(keys: string): void {
    this.#process.stdin.write(keys);
  }

  /** Once what matches has been shown since the last time; what comes before is forgotten. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) {
        this.output = this.output.slice(found.index + found[0].length);
        return found;
      }
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) throw new Error(`the terminal is gone without ${String(pattern)}: ${this.output}`);
      await Promise.race([once(this.#process, 'output'), this.#exited]);
    }
  }

  /** Types a line and returns what the shell's `$?` is afterwards. */
  async status(): Promise<number> {
    this.type('echo status-$?-\n');
    return Number((await this.shows(/status-(\d+)-/))[1]);
  }

  static async cleanUp(): Promise<void> {
    for (const terminal of Terminal.#all) {
      terminal.#process.stdin.end();
      terminal.#process.kill('SIGKILL');
      await terminal.#exited;
    }
    Terminal.#all.clear();
  }
}
