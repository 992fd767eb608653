import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { shutOut } from './connection-limit';
import { isExclusive } from './peers';

/** So many requests begin in one turn of the event loop, then whoever else has something to do has a turn. */
const REQUESTS_A_TURN = 8;

/** So many requests may wait on one connection for the one before them; reading thousands costs as much as answering some. */
const MAX_PIPELINED = 100;

/**
 * Who comes when. A client that sends as fast as it can is neither refused nor measured, but no other waits longer for
 * it than for one request of each connection: requests wait in one line, in which each connection has one place.
 * Without it everything that has been read from a connection would be answered before anything is read from the next.
 */
export class Turns {
  readonly #pipelined = new WeakMap<Socket, number>();
  #begun = 0;
  #line: (() => void)[] = [];
  #next = 0;

  /**
   * Calls back, now or later, when it is the request's turn; not at all if it has none.
   *
   * A connection that holds a lease is that lease's life, and one that waits for a lease has nothing else to say: whatever
   * is sent on it meanwhile is a mistake, and ends it. Of other requests that are sent without waiting for answers each
   * begins when the one before it has been answered: otherwise a release would overtake the request whose body is still
   * being read (RFC 9112, 9.3.2).
   */
  take({ socket }: IncomingMessage, response: ServerResponse, begin: () => void): void {
    if (socket.destroyed) return;
    if (isExclusive(socket)) {
      cutOff(socket);
      return;
    }
    if (response.socket !== null) {
      this.#takePlace(begin);
      return;
    }
    const waiting = this.#pipelined.get(socket) ?? 0;
    if (waiting >= MAX_PIPELINED) {
      cutOff(socket);
      shutOut(socket);
      return;
    }
    this.#pipelined.set(socket, waiting + 1);
    response.once('socket', () => {
      this.#pipelined.set(socket, (this.#pipelined.get(socket) ?? 1) - 1);
      this.#takePlace(begin);
    });
  }

  #takePlace(begin: () => void): void {
    if (this.#begun < REQUESTS_A_TURN) this.#begin(begin);
    else this.#line.push(begin);
  }

  #begin(begin: () => void): void {
    this.#begun += 1;
    // Only where there is a rush: a request alone costs nothing.
    if (this.#begun === REQUESTS_A_TURN) setImmediate(this.#onTurn);
    begin();
  }

  readonly #onTurn = (): void => {
    this.#begun = 0;
    while (this.#begun < REQUESTS_A_TURN && this.#next < this.#line.length) {
      const begin = this.#line[this.#next];
      this.#next += 1;
      if (begin !== undefined) this.#begin(begin);
    }
    if (this.#next < this.#line.length) return;
    this.#line = [];
    this.#next = 0;
  };
}

/**
 * Node.js makes an error for each request that is still to be answered on a connection that has been closed. Of thousands, whose
 * errors nobody will see, the stack traces alone would take a tenth of a second.
 */
function cutOff(socket: Socket): void {
  const { stackTraceLimit } = Error;
  socket.prependOnceListener('close', () => (Error.stackTraceLimit = 0));
  socket.once('close', () => (Error.stackTraceLimit = stackTraceLimit));
  socket.destroy();
}
