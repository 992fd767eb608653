/** A client that waits, until it is answered or gone. */
export interface Waiter {
  /** Does nothing for one who does not wait any more. */
  readonly answer: () => void;
  /** Stops waiting without an answer. */
  readonly leave: () => void;
}

/** The clients that wait for an update. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();

  /**
   * Lets somebody wait.
   * @param onAnswer called when answered, or at the end of the wait; once at most
   */
  add(waitMs: number, onAnswer: () => void): Waiter {
    const waiter: Waiter = {
      answer: () => {
        if (!this.#waiting.has(waiter)) return;
        waiter.leave();
        onAnswer();
      },
      leave: () => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
      },
    };
    const timer = setTimeout(waiter.answer, waitMs);
    this.#waiting.add(waiter);
    return waiter;
  }

  answerAll(): void {
    for (const waiter of [...this.#waiting]) waiter.answer();
  }
}
