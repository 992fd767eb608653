import { Worker } from 'node:worker_threads';
import { matches, type Expression } from './expression';

/** Up to so many steps are taken in our own thread: some tens of milliseconds at worst on a small device. */
const MAX_STEPS_AT_ONCE = 200_000;

/** A match that takes longer than this is given up, in milliseconds. */
const MATCH_TIMEOUT_MS = 20_000;

/** Memory of the thread for matches. */
const MATCH_MEMORY = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 };

/** What the thread runs, of this same bundle. */
const THREAD = "require(require('node:worker_threads').workerData).serveMatches()";

export type MatchResult = { readonly ok: true; readonly matches: boolean } | { readonly ok: false; readonly problem: string };

interface Task {
  readonly program: string;
  readonly text: string;
  readonly deliver: (result: MatchResult) => void;
}

/**
 * Matches without stopping everything else. What may take long is done in a thread of its own, one after the other; the
 * thread is there only as long as there is something to match.
 */
export class Matcher {
  readonly #tasks: Task[] = [];
  #worker: Worker | null = null;
  #timer: NodeJS.Timeout | undefined;

  match({ program, size }: Expression, text: string): Promise<MatchResult> {
    if (size * text.length <= MAX_STEPS_AT_ONCE) {
      // Many answers may come in one turn of the event loop: each is matched in a turn of its own.
      return new Promise((resolve) => { setImmediate(() => { resolve(matchNow(program, text)); }); });
    }
    return new Promise((deliver) => {
      if (this.#tasks.push({ program, text, deliver }) === 1) this.#next();
    });
  }

  close(): void {
    this.#tasks.length = 0;
    this.#end();
  }

  #next(): void {
    const [task] = this.#tasks;
    if (task === undefined) {
      this.#end();
      return;
    }
    this.#timer = setTimeout(() => { this.#fail('its answer takes too long to be matched'); }, MATCH_TIMEOUT_MS).unref();
    try {
      this.#worker ??= this.#start();
      this.#worker.postMessage({ program: task.program, text: task.text });
    } catch (error) {
      this.#fail(cannotBeMatched(error));
    }
  }

  #start(): Worker {
    const worker = new Worker(THREAD, { eval: true, workerData: __filename, resourceLimits: MATCH_MEMORY });
    worker.unref();
    worker.on('message', (isMatch: boolean) => { if (worker === this.#worker) this.#deliver({ ok: true, matches: isMatch }); });
    worker.on('error', (error) => { if (worker === this.#worker) this.#fail(cannotBeMatched(error)); });
    return worker;
  }

  /** Whatever a thread has come to, the next match begins with a new one. */
  #fail(problem: string): void {
    this.#end();
    this.#deliver({ ok: false, problem });
  }

  #deliver(result: MatchResult): void {
    clearTimeout(this.#timer);
    this.#tasks.shift()?.deliver(result);
    this.#next();
  }

  #end(): void {
    clearTimeout(this.#timer);
    const worker = this.#worker;
    this.#worker = null;
    void worker?.terminate();
  }
}

function matchNow(program: string, text: string): MatchResult {
  try {
    return { ok: true, matches: matches(program, text) };
  } catch (error) {
    return { ok: false, problem: cannotBeMatched(error) };
  }
}

function cannotBeMatched(error: unknown): string {
  const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return `its answer cannot be matched: ${why}`;
}
