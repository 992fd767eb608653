import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** How a holder's protected work ended, as its client tells it: by an error's class and code, or by an exit status. */
export type OutcomeKind = 'held' | 'refused' | 'lost' | 'unreachable' | 'invalid' | 'not-allowed';

export interface Outcome {
  readonly kind: OutcomeKind;
  /** The problem's code, where the client hands it on; null for a command, which has only its exit status. */
  readonly code: string | null;
  /** What the holder was told: an error's message, or what a command wrote to its standard error. */
  readonly told: string;
}

export interface HoldRequest {
  /** Which sidecar and token: `UPDATE_LOCK_URL`, `UPDATE_LOCK_TOKEN`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly name: string;
  readonly reason?: string;
  /** In seconds; without a limit if not given. */
  readonly waitSeconds?: number;
}

/** A process of its own that does protected work until it is told to finish. */
export interface Holder {
  /** Once the protected work has begun; fails if the process ends before. */
  started(): Promise<void>;
  /** Whether it has. */
  readonly hasStarted: boolean;
  /** Tells the work to end well. */
  finish(): void;
  /** Sends the client a signal, SIGKILL if none is given. */
  kill(signal?: NodeJS.Signals): void;
  /** Once the process has ended, except by {@link kill}. */
  outcome(): Promise<Outcome>;
}

/** What a client has to provide to be put to the contract. */
export interface ClientDriver {
  readonly name: string;
  hold(request: HoldRequest): Holder;
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly hasStarted: boolean;
}

/** The line on standard output that says that the work has begun. It ends when standard input does. */
const STARTED = 'started';

/**
 * A driver for a library: a small program in the client's language. It is run with two arguments, the name and the wait in
 * seconds (`forever` for no limit), and the reason in `HOLD_REASON`. It holds the lock, prints `started`, does nothing until its
 * standard input ends, lets go, and prints one line of JSON: `{"kind": "held"}`, or for an error
 * `{"kind": "refused", "code": "updating", "told": "its message"}`. If the lock is lost it does not wait for its input.
 */
export function libraryDriver(name: string, command: readonly string[]): ClientDriver {
  return {
    name,
    hold: ({ environment, name: holder, reason = '', waitSeconds }) => {
      const args = [...command, holder, waitSeconds === undefined ? 'forever' : String(waitSeconds)];
      return new Program(args, { ...environment, HOLD_REASON: reason }, readReport);
    },
  };
}

/** A driver for a command with the options and exits of `update-lock run`. */
export function commandDriver(name: string, command: readonly string[]): ClientDriver {
  return {
    name,
    hold: ({ environment, name: holder, reason, waitSeconds }) => {
      const args = [...command, 'run', '--name', holder, '--on-lost', 'term'];
      if (reason !== undefined) args.push('--reason', reason);
      if (waitSeconds === 0) args.push('--no-wait');
      else if (waitSeconds !== undefined) args.push('--wait', `${String(waitSeconds)}s`);
      args.push('--', 'sh', '-c', `echo ${STARTED}; exec cat`);
      return new Program(args, environment, readExit);
    },
  };
}

function readReport({ status, stdout, stderr }: Ended): Outcome {
  const report = stdout.trim().split('\n').at(-1) ?? '';
  if (!report.startsWith('{')) throw new Error(`no report, exit status ${String(status)}: ${stdout}${stderr}`);
  return { code: null, told: '', ...(JSON.parse(report) as Pick<Outcome, 'kind'> & Partial<Outcome>) };
}

function readExit({ status, stderr, hasStarted }: Ended): Outcome {
  const kinds: Readonly<Record<number, OutcomeKind>> = { 0: 'held', 64: 'invalid', 69: 'unreachable', 75: hasStarted ? 'lost' : 'refused', 77: 'not-allowed' };
  const kind = status === null ? undefined : kinds[status];
  if (kind === undefined) throw new Error(`exit status ${String(status)}: ${stderr}`);
  return { kind, code: null, told: stderr };
}

class Program implements Holder {
  static readonly all = new Set<Program>();

  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;
  #stdout = '';
  #stderr = '';

  constructor(
    [command = '', ...args]: readonly string[],
    environment: Readonly<Record<string, string>>,
    private readonly readOutcome: (ended: Ended) => Outcome,
  ) {
    const child = spawn(command, args, { env: { PATH: process.env['PATH'] ?? '', ...environment }, stdio: 'pipe' });
    this.#process = child;
    this.#closed = once(child, 'close');
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      child.emit('output');
    });
    Program.all.add(this);
  }

  get hasStarted(): boolean {
    return this.#stdout.startsWith(`${STARTED}\n`);
  }

  async started(): Promise<void> {
    while (!this.hasStarted) {
      if (this.#process.exitCode !== null) throw new Error(`it has ended before its work began: ${this.#stdout}${this.#stderr}`);
      await Promise.race([once(this.#process, 'output'), this.#closed]);
    }
  }

  finish(): void {
    this.#process.stdin?.end();
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.kill(signal);
  }

  async outcome(): Promise<Outcome> {
    await this.#closed;
    return this.readOutcome({ status: this.#process.exitCode, stdout: this.#stdout, stderr: this.#stderr, hasStarted: this.hasStarted });
  }

  async end(): Promise<void> {
    this.kill();
    // What the client ran may live on; the end of its input ends it. Nobody waits for what it may still have to say.
    this.finish();
    this.#process.stdout?.destroy();
    this.#process.stderr?.destroy();
    await this.#closed;
  }
}

/** Ends every holder that is left. */
export async function endHolders(): Promise<void> {
  await Promise.all([...Program.all].map((program) => program.end()));
  Program.all.clear();
}
