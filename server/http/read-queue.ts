/** How many reads are answered in one turn of the event loop. The longest answer takes about a millisecond to write. */
const READS_A_TURN = 20;

/** The longest time that new connections can delay reads, in milliseconds: a flood of connections must not stop them. */
const WAIT_AT_MOST_MS = 50;

/**
 * A queue in which reads wait while new connections arrive, so that changes go first. Node.js accepts one connection in each turn of the
 * event loop, so a renewal may arrive behind hundreds of connections, and the long answers to reads would delay it by seconds.
 */
export class ReadQueue {
  readonly #waiting: (() => void)[] = [];
  #hasConnected = false;
  #lastAtMs = 0;

  /** Adds a read, which is answered soon. */
  take(answer: () => void): void {
    if (this.#waiting.push(answer) > 1) return;
    this.#lastAtMs = performance.now();
    setImmediate(this.#onTurn);
  }

  /** To be called for each new connection: its request may be urgent. */
  readonly onConnection = (): void => {
    this.#hasConnected = true;
  };

  readonly #onTurn = (): void => {
    if (!this.#hasConnected || performance.now() - this.#lastAtMs >= WAIT_AT_MOST_MS) {
      for (const answer of this.#waiting.splice(0, READS_A_TURN)) answer();
      this.#lastAtMs = performance.now();
    }
    this.#hasConnected = false;
    if (this.#waiting.length > 0) setImmediate(this.#onTurn);
  };
}
