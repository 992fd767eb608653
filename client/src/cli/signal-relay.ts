import type { ChildProcess } from 'node:child_process';
import { exitOfSignal } from './exits';
import { readStat } from './process-stat';

/** The signals that end a process by default, except those that only the process itself can cause. */
const ENDING = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGTERM', 'SIGVTALRM', 'SIGSTKFLT', 'SIGIO', 'SIGPWR'] as const;

/** The signals that have no effect by default. */
const HARMLESS = ['SIGWINCH', 'SIGURG'] as const;

/** The signals that a terminal sends to all processes in its foreground, so also to COMMAND. */
const FROM_TERMINAL: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGWINCH'];

/**
 * Relays signals to COMMAND, as if this process were not there; before COMMAND runs, they end this process. COMMAND runs in our process
 * group, so the signals of a terminal reach it directly and are not sent twice. When it is stopped, we stop too, so that the shell above
 * sees it; when we are continued, so is COMMAND.
 */
export class SignalRelay {
  #child: ChildProcess | undefined;
  #mayStop = false;

  /** @param end called for a signal before COMMAND runs */
  constructor(private readonly end: (exit: number) => void) {
    for (const signal of ENDING) process.on(signal, this.#pass);
  }

  /** To be called before COMMAND is started: signals that come meanwhile are kept, and relayed afterwards. */
  expectChild(): void {
    for (const signal of HARMLESS) process.on(signal, this.#passIfStarted);
    process.on('SIGCONT', this.#continued);
    process.on('SIGCHLD', this.#childChanged);
  }

  passTo(child: ChildProcess): void {
    this.#child = child;
    process.on('SIGTSTP', this.#stopAsked);
  }

  readonly #pass = (signal: NodeJS.Signals): void => {
    if (this.#child === undefined) {
      this.end(exitOfSignal(signal));
      return;
    }
    if (FROM_TERMINAL.includes(signal) && this.#terminalReachesChild()) return;
    this.#child.kill(signal);
  };

  readonly #passIfStarted = (signal: NodeJS.Signals): void => {
    if (this.#child !== undefined) this.#pass(signal);
  };

  readonly #stopAsked = (): void => {
    this.#mayStop = true;
    this.#pass('SIGTSTP');
  };

  /**
   * The kernel tells a parent when a child stops, but Node.js does not. A stop signal that the terminal has sent to us at the same time is
   * handled first: otherwise it would be handled after we were continued, perhaps in the background, and would stop COMMAND again.
   */
  readonly #childChanged = (): void => {
    setImmediate(this.#followChild);
  };

  readonly #followChild = (): void => {
    const child = readStat(this.#child?.pid ?? 0);
    if (child?.isStopped !== true) return;
    const own = readStat(process.pid);
    if (own === null) return;
    // Whoever stops only COMMAND, without a terminal, cannot know that this process would have to be continued too.
    const isInForeground = own.hasTerminal && [own.processGroup, child.processGroup].includes(own.foregroundGroup);
    if (!this.#mayStop && !isInForeground) return;
    this.#mayStop = false;
    process.off('SIGTSTP', this.#stopAsked);
    process.kill(process.pid, 'SIGTSTP');
    process.on('SIGTSTP', this.#stopAsked);
  };

  readonly #continued = (): void => {
    this.#mayStop = false;
    const child = readStat(this.#child?.pid ?? 0);
    const own = readStat(process.pid);
    // A shell continues the whole process group.
    const isContinued = own?.hasTerminal === true && own.processGroup === child?.processGroup && !child.isStopped;
    if (!isContinued) this.#child?.kill('SIGCONT');
  };

  #terminalReachesChild(): boolean {
    const own = readStat(process.pid);
    if (own?.hasTerminal !== true || own.foregroundGroup !== own.processGroup) return false;
    return readStat(this.#child?.pid ?? 0)?.processGroup === own.processGroup;
  }
}
