import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { COOLDOWN_MS } from './device';
import type { HistoryWriter } from './history';

const SCRIPT = resolve(__dirname, 'reader.py');

/** A process that keeps trying to get past the lock as one of its readers does, and writes down each time that it did. */
export class Reader {
  tries = 0;
  passes = 0;
  /** How long each forced update took that did not get the lock, in milliseconds. */
  readonly failuresMs: number[] = [];
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #closed: Promise<unknown>;

  constructor(
    readonly who: 'supervisor' | 'host',
    pauseSeconds: number,
    paths: readonly string[],
    private readonly history: HistoryWriter,
  ) {
    this.#process = spawn('python3', [SCRIPT, who, String(pauseSeconds), ...paths], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#closed = once(this.#process, 'close');
    createInterface(this.#process.stdout).on('line', (line) => { this.#read(line); });
  }

  /** Forces an update that is applied for so long. Settles once it has the lock, or has failed. */
  async force(seconds: number): Promise<void> {
    this.#process.stdin.write(`force ${seconds}\n`);
    await once(this.#process, 'forced');
  }

  async stop(): Promise<void> {
    this.#process.stdin.end();
    await this.#closed;
    if (this.#process.exitCode !== 0) throw new Error(`the reader has exited with ${String(this.#process.exitCode ?? this.#process.signalCode)}`);
  }

  #read(line: string): void {
    const [what = '', first, second] = line.split(' ');
    const span = { fromMs: Number(first), toMs: Number(second) };
    switch (what) {
      case 'passed':
        this.passes += 1;
        this.history.saw({ kind: 'passed', by: `the ${this.who}`, ...span });
        break;
      case 'taken':
        this.history.saw({ kind: 'taken', by: `the ${this.who}`, ...span });
        break;
      case 'forced':
        this.history.forced(span);
        this.#process.emit('forced');
        break;
      case 'failed':
        this.failuresMs.push(span.toMs - span.fromMs);
        // One that takes longer may find a new lease, granted after the cooldown.
        if (span.toMs - span.fromMs < COOLDOWN_MS) this.history.saw({ kind: 'not-forced', fromMs: span.fromMs, toMs: span.fromMs });
        break;
      case 'tried':
        this.tries = Number(first);
        break;
      default:
        throw new Error(`a reader says ${line}`);
    }
  }
}
