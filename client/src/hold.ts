import type { Caller } from './caller';
import { LockLostError } from './errors/lock-lost-error';
import type { HoldStream } from './hold-stream';
import { idOf, ifMatch, leasePath } from './lease-name';
import { persist } from './persist';
import { asLost, reattach, type DetachedLease } from './reattach';
import { monotonicMs } from './timing';
import type { Draining, EndedLease, HoldLine, Lease, Update } from './types';

/** The lock, held for as long as the connection to the sidecar. It does not keep the process alive. */
export interface Hold extends AsyncDisposable {
  readonly name: string;
  /** The lease as it was granted, or as it was when the hold last reconnected. */
  readonly lease: Lease;
  /** Aborts, with a `LockLostError`, when the lock is lost. */
  readonly signal: AbortSignal;
  /**
   * Gives back the lock. Never fails: if the sidecar cannot be reached, the lease ends by itself. Resolves once the sidecar has
   * ended the lease, or cannot confirm it.
   */
  release(): Promise<void>;
}

export interface HoldListeners {
  /** Called when an update begins to wait for the lock, or no longer waits. */
  readonly onUpdate?: ((update: Update) => void) | undefined;
  /** Called when the lease is about to be ended, for an update that has waited long enough. */
  readonly onDraining?: ((draining: Draining) => void) | undefined;
}

/** A lease by connection, which continues after a restart of the sidecar. */
export class ConnectionHold implements Hold {
  readonly #aborter = new AbortController();
  /** Aborts all background work once the hold is over. */
  readonly #over = new AbortController();
  /** Null while the connection is broken. */
  #stream: HoldStream | null;
  #lease: Lease;
  #released: Promise<void> | undefined;

  constructor(
    private readonly caller: Caller,
    stream: HoldStream,
    private readonly reason: string | undefined,
    private readonly listeners: HoldListeners,
  ) {
    this.#stream = stream;
    this.#lease = stream.lease;
    void this.#follow(stream);
  }

  get name(): string {
    return this.#lease.name;
  }

  get lease(): Lease {
    return this.#lease;
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** Passes on a request to stop: the signal aborts, but the lock is kept until it is released. */
  abort(reason: unknown): void {
    this.#aborter.abort(reason);
  }

  /** Calls back once, when the hold is released or lost. */
  onOver(callback: () => void): void {
    if (this.#over.signal.aborted) callback();
    else this.#over.signal.addEventListener('abort', callback, { once: true });
  }

  async #release(): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    const { releaseMs } = this.caller.timing;
    const untilMs = monotonicMs() + releaseMs;
    const stream = this.#stream;
    const hasEnded = await this.#endLease();
    await stream?.close(hasEnded ? 0 : Math.max(0, untilMs - monotonicMs()));
  }

  /**
   * Asks the sidecar to end the lease: a connection that only closes looks like a crash, and while the sidecar restarts it would keep the
   * lease until the end of its grace period. Returns whether the lease has ended.
   */
  async #endLease(): Promise<boolean> {
    const { caller, name } = this;
    const { timing } = caller;
    const headers = ifMatch(idOf(this.#lease));
    // An older sidecar knows no ids, and another client may have the name by now: the end of the connection has to do.
    if (headers['If-Match'] === undefined) return false;
    const signal = AbortSignal.timeout(timing.releaseMs);
    const attempt = async (): Promise<boolean> => {
      const response = await caller.open({ method: 'DELETE', path: leasePath(name), headers, signal });
      response.destroy();
      // 412: it had ended before.
      if (![200, 204, 412].includes(response.statusCode ?? 0)) throw new Error('not the sidecar');
      return true;
    };
    return persist(attempt, { forMs: timing.patienceMs, timing, signal, passes: () => true }).catch(() => false);
  }

  /** Never throws. */
  async #follow(first: HoldStream): Promise<void> {
    for (let stream: HoldStream | null = first; stream !== null; ) {
      const ended = await this.#read(stream);
      if (this.#over.signal.aborted) return;
      this.#stream = null;
      if (ended !== null) {
        const { reason, at } = ended.ended;
        this.#lose(new LockLostError(`The lease ${this.name} ended at ${at}: ${reason}`, reason));
        return;
      }
      stream = await this.#recover();
    }
  }

  /** Reads until the connection is over. Returns how the lease ended, if the sidecar said so. */
  async #read(stream: HoldStream): Promise<EndedLease | null> {
    try {
      for await (const line of stream.lines) {
        if (line.event === 'ended') return line.lease;
        this.#tell(line);
      }
    } catch {
      // Broken, silent or garbled: the sidecar knows the state of the lease.
    }
    return null;
  }

  /** Calls a listener in a turn of its own: an error that it throws must not break the hold. */
  #tell(line: HoldLine): void {
    const { onUpdate, onDraining } = this.listeners;
    if (line.event === 'update' && onUpdate !== undefined) {
      queueMicrotask(() => {
        onUpdate(line.update);
      });
    }
    if (line.event === 'draining' && onDraining !== undefined) {
      const { endsInSeconds, reason } = line;
      queueMicrotask(() => {
        onDraining(reason === undefined ? { endsInSeconds } : { endsInSeconds, reason });
      });
    }
  }

  /** Tries until the sidecar says that the lease has ended, or must have ended it. All other answers may be temporary. */
  async #recover(): Promise<HoldStream | null> {
    const { caller } = this;
    const { timing } = caller;
    const { signal } = this.#over;
    const detached: DetachedLease = { lease: this.#lease, reason: this.reason };
    try {
      const stream = await persist(() => reattach(caller, detached, signal), { forMs: timing.recoveryMs, timing, signal, passes: isNotLost, isBackground: true });
      if (signal.aborted) {
        await stream.close(timing.releaseMs);
        return null;
      }
      this.#stream = stream;
      this.#lease = stream.lease;
      return stream;
    } catch (error) {
      if (!signal.aborted) this.#lose(asLost(error, detached));
      return null;
    }
  }

  #lose(error: LockLostError): void {
    this.#over.abort();
    this.#aborter.abort(error);
  }
}

function isNotLost(error: unknown): boolean {
  return !(error instanceof LockLostError);
}
