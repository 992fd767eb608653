import type { WriteStream } from 'node:tty';
import { exitOfSignal } from './exits';

/** Another screen than the one with the shell's history; no cursor; no line that wraps. */
const OPEN = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const CLOSE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

/** Terminals that know it show what is between at once; the others ignore it. */
const BEGIN_FRAME = '\x1b[?2026h\x1b[H';
const END_FRAME = '\x1b[J\x1b[?2026l';

const CTRL_C = '\x03';
const CTRL_Z = '\x1a';

/** The whole of a terminal, given back as it was however we end. */
export class Screen {
  #shown = '';
  #isOpen = false;

  /**
   * @param onResize draws anew
   * @param onEnd is told what to exit with, once the screen has been given back
   */
  constructor(
    private readonly output: WriteStream,
    private readonly onResize: () => void,
    private readonly onEnd: (exit: number) => void,
  ) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, this.#end);
    process.on('SIGTSTP', this.#suspend);
    process.on('SIGCONT', this.#resume);
    process.on('exit', this.#close);
    // A terminal that is gone can be written to no more.
    output.on('error', () => { this.onEnd(exitOfSignal('SIGHUP')); });
    output.on('resize', () => {
      this.#shown = '';
      this.onResize();
    });
    process.stdin.on('error', () => undefined).on('data', (keys: Buffer) => {
      this.#press(keys.toString('latin1'));
    });
    this.#open();
  }

  get columns(): number {
    return this.output.columns;
  }

  get rows(): number {
    return this.output.rows;
  }

  /** Lines that fit. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const text = lines.slice(0, this.rows).map((line) => `${line}\x1b[K`).join('\n');
    if (text === this.#shown) return;
    this.#shown = text;
    this.output.write(BEGIN_FRAME + text + END_FRAME);
  }

  #open(): void {
    // Keys are not to be seen, and Ctrl-C comes as one of them.
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    this.output.write(OPEN);
    this.#isOpen = true;
    this.#shown = '';
  }

  readonly #close = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.output.write(CLOSE);
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
  };

  readonly #end = (signal: NodeJS.Signals): void => {
    this.#close();
    this.onEnd(exitOfSignal(signal));
  };

  #press(keys: string): void {
    if (keys.includes(CTRL_C)) this.#end('SIGINT');
    else if (keys.includes(CTRL_Z)) process.kill(0, 'SIGTSTP');
    else if (/q/i.test(keys)) {
      this.#close();
      this.onEnd(0);
    }
  }

  readonly #suspend = (): void => {
    this.#close();
    process.off('SIGTSTP', this.#suspend);
    process.kill(process.pid, 'SIGTSTP');
    process.on('SIGTSTP', this.#suspend);
  };

  readonly #resume = (): void => {
    if (!this.#isOpen) this.#open();
    this.onResize();
  };
}
