import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { until } from '../support/until';

export const SCRIPT = resolve(__dirname, '../../client/sh/update-lock');

/** The shells that are /bin/sh on Debian, on Alpine and on Red Hat's. */
export const SHELLS = [['dash'], ['busybox', 'sh'], ['bash', '--posix']] as const;

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The script, run in a session of its own: without a terminal, wherever the tests run. */
export class Run {
  static readonly #all: Run[] = [];
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #closed: Promise<unknown>;

  constructor(command: readonly string[], environment: Readonly<Record<string, string>>, options: SpawnOptions = {}) {
    const [shell = '', ...args] = command;
    this.child = spawn(shell, args, { env: { PATH: process.env['PATH'] ?? '', ...environment }, detached: true, stdio: 'pipe', ...options });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#closed = once(this.child, 'close');
    Run.#all.push(this);
  }

  async result(): Promise<Result> {
    await this.#closed;
    return { status: this.child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  async said(text: string): Promise<void> {
    await until(() => (this.stdout + this.stderr).includes(text), 60_000);
  }

  /** Kills all that are left. */
  static endAll(): void {
    for (const { child } of Run.#all.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  }
}

/** A copy of the script that is in a hurry: each constant that is named has another value. */
export function hurriedScript(folder: string, constants: Readonly<Record<string, number>>): string {
  let text = readFileSync(SCRIPT, 'utf8');
  for (const [name, value] of Object.entries(constants)) {
    const changed = text.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}=${String(value)}`);
    if (changed === text) throw new Error(`the script has no constant ${name}, or it is ${String(value)} already`);
    text = changed;
  }
  const path = join(folder, 'update-lock');
  writeFileSync(path, text);
  return path;
}
