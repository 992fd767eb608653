import type { ServerResponse } from 'node:http';

/** So many bytes of answers may be waiting for their clients to read them, over all connections. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;

/** A client that has not read what it was sent by then is cut off, in milliseconds. */
const READ_WITHIN_MS = 30_000;

interface Waiting {
  readonly bytes: Buffer;
  readonly sinceMs: number;
}

/**
 * What has been written and not sent, because clients do not read it. It is bounded for all of them together: beyond that the one
 * that has been behind for longest is cut off. Bytes that several are sent count once, as they are in memory once.
 */
export class Unsent {
  /** The longest waiting first. */
  readonly #waiting = new Map<ServerResponse, Waiting>();
  /** How many wait for the same bytes. */
  readonly #shares = new Map<Buffer, number>();
  #total = 0;
  #timer: NodeJS.Timeout | undefined;

  /** To be called before the bytes are written; what the same response wrote before has been sent. */
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

  /** To be called when the bytes have been sent, or never will be. */
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
