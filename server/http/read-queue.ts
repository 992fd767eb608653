/** So many reads are answered in one turn of the event loop: to write the longest answer takes about a millisecond. */
const READS_A_TURN = 20;

/** Reads wait no longer than this for new connections, in milliseconds, or a flood of these would stop them. */
const WAIT_AT_MOST_MS = 50;

/**
 * Lets changes go before reads. Node.js accepts one connection in each turn of the event loop, so a renewal may be behind hundreds of
 * connections: answers that take long to write would add up to seconds. So reads wait in line while connections arrive.
 */
export class ReadQueue {
  readonly #waiting: (() => void)[] = [];
  #hasConnected = false;
  #lastAtMs = 0;

  /** Answers a read soon. */
  take(answer: () => void): void {
    if (this.#waiting.push(answer) > 1) return;
    this.#lastAtMs = performance.now();
    setImmediate(this.#onTurn);
  }

  /** To be called when somebody has connected: who it is may be in a hurry. */
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
