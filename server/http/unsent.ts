import type { ServerResponse } from 'node:http';

/** The most bytes of answers that may wait for clients to read them, over all connections. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;

/** A client that has not read its answer after this time is cut off. Milliseconds. */
const READ_WITHIN_MS = 30_000;

interface Waiting {
  readonly bytes: Buffer;
  readonly sinceMs: number;
}

/**
 * The bytes that were written and not sent, because their clients do not read them. There is one bound for all connections: beyond
 * it, the connection that has waited longest is cut off. Bytes that several connections share count once, as they are in memory once.
 */
export class Unsent {
  /** In the order in which they began to wait. */
  readonly #waiting = new Map<ServerResponse, Waiting>();
  /** How many responses share the same bytes. */
  readonly #shares = new Map<Buffer, number>();
  #total = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Counts bytes that are about to be written. The response must have sent the bytes that it wrote before. */
  add(response: ServerResponse, bytes: Buffer): void {
    this.remove(response);
    const shares = this.#shares.get(bytes) ?? 0;
    if (shares === 0) this.#total += bytes.length;
    this.#shares.set(bytes, shares + 1);
    this.#waiting.set(response, { bytes, sinceMs: performance.now() });
    for (const slowest of this.#waiting.keys()) {
      if (this.#total <= MAX_UNSENT_BYTES || slowest === response) break;
      this.#cutOff(slowest);
    }
    if (this.#timer === undefined) this.#cutOffLater(READ_WITHIN_MS);
  }

  /** Stops counting the bytes of a response: they have been sent, or never will be. */
  remove(response: ServerResponse): void {
    const waiting = this.#waiting.get(response);
    if (waiting === undefined) return;
    this.#waiting.delete(response);
    const { bytes } = waiting;
    const shares = this.#shares.get(bytes) ?? 1;
    if (shares > 1) {
      this.#shares.set(bytes, shares - 1);
      return;
    }
    this.#shares.delete(bytes);
    this.#total -= bytes.length;
  }

  #cutOff(response: ServerResponse): void {
    this.remove(response);
    response.socket?.destroy();
  }

  #cutOffLater(afterMs: number): void {
    this.#timer = setTimeout(() => { this.#cutOffLate(); }, afterMs).unref();
  }

  #cutOffLate(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    for (const [response, { sinceMs }] of this.#waiting) {
      const leftMs = sinceMs + READ_WITHIN_MS - nowMs;
      if (leftMs > 0) {
        this.#cutOffLater(leftMs);
        return;
      }
      this.#cutOff(response);
    }
  }
}
