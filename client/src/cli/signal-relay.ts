import type { ChildProcess } from 'node:child_process';
import { exitOfSignal } from './exits';
import { readStat } from './process-stat';

/** Those that end a process that does nothing about them. Left out: what only the process itself can cause. */
const ENDING = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGTERM', 'SIGVTALRM', 'SIGSTKFLT', 'SIGIO', 'SIGPWR'] as const;

/** Those that nothing comes of unless somebody listens. */
const HARMLESS = ['SIGWINCH', 'SIGURG'] as const;

/** What the keys and the size of a terminal send to every process of the group in its foreground: to COMMAND as well. */
const FROM_TERMINAL: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGWINCH'];

/**
 * Does with signals as if we were not there: until there is a COMMAND they end us, from then on they are passed on to it.
 * It runs in our process group, so what a terminal sends reaches it without us and is not sent twice. When it is
 * stopped, we stop as well, for the shell above us to see; when we are continued, it is.
 */
export class SignalRelay {
  #child: ChildProcess | undefined;
  #mayStop = false;

  /** @param end what to do about a signal before there is a COMMAND */
  constructor(private readonly end: (exit: number) => void) {
    for (const signal of ENDING) process.on(signal, this.#pass);
  }

  /** Before COMMAND is started: what comes from now on is not lost, but seen once it has been. */
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
   * The kernel tells a parent of children that stop, but Node.js only of those that end. What a terminal has sent to us at
   * the same time is seen first: otherwise it would be seen when we have been continued, perhaps in the background, and
   * would stop COMMAND again.
   */
  readonly #childChanged = (): void => {
    setImmediate(this.#followChild);
  };

  readonly #followChild = (): void => {
    const child = readStat(this.#child?.pid ?? 0);
    if (child?.isStopped !== true) return;
    const own = readStat(process.pid);
    if (own === null) return;
    // Somebody who stops only COMMAND, away from a terminal, would not know that we have to be continued too.
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
