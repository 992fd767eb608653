import type { Caller } from './caller';
import { LockLostError } from './errors/lock-lost-error';
import type { HoldStream } from './hold-stream';
import { monotonicMs } from './monotonic-clock';
import { persist } from './persist';
import { asLost, mayBeTakenUp, takeUp, type Orphan } from './take-up';
import type { Draining, EndedLease, HoldLine, Lease, Update } from './types';

/** The lock, held for as long as the connection to the sidecar. It does not keep the process alive. */
export interface Hold extends AsyncDisposable {
  readonly name: string;
  /** The lease as it was granted, or last taken up again. */
  readonly lease: Lease;
  /** Aborts, with a `LockLostError`, when the lock is lost. */
  readonly signal: AbortSignal;
  /**
   * Gives back the lock. Never fails: if the sidecar is not there, the lease ends by itself. Resolves once the sidecar has
   * ended the lease, or it is clear that it cannot say so.
   */
  release(): Promise<void>;
}

export interface HoldListeners {
  /** An update waits for the lock, or no longer does. */
  readonly onUpdate?: ((update: Update) => void) | undefined;
  /** The lease will be ended, for an update that has waited long enough. */
  readonly onDraining?: ((draining: Draining) => void) | undefined;
}

/** A lease by connection, taken up again when the sidecar restarts. */
export class ConnectionHold implements Hold {
  readonly #aborter = new AbortController();
  readonly #grantedAtMs = monotonicMs();
  /** Aborts what is done in the background, once the hold is over. */
  readonly #over = new AbortController();
  /** Null while the connection is broken. */
  #stream: HoldStream | null;
  #lease: Lease;
  #brokenAtMs = 0;
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

  /** Passes on somebody's wish to stop: the signal aborts, but the lock stays until it is released. */
  abort(reason: unknown): void {
    this.#aborter.abort(reason);
  }

  /** Calls back once, when the hold has been released or lost. */
  onOver(callback: () => void): void {
    if (this.#over.signal.aborted) callback();
    else this.#over.signal.addEventListener('abort', callback, { once: true });
  }

  async #release(): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    const { timing } = this.caller;
    const { goodbyeMs } = timing;
    if (this.#stream !== null) {
      if (await this.#stream.close(goodbyeMs)) return;
      this.#brokenAtMs = monotonicMs();
    }
    // The sidecar is restarting, and will keep the lease until it is clear that nobody comes for it. If it is back soon, it need not.
    const orphan = this.#orphan();
    const signal = AbortSignal.timeout(goodbyeMs);
    await persist(() => takeUp(this.caller, orphan, signal, false), { forMs: timing.patienceMs, timing, signal, passes: mayBeTakenUp }).then(
      (stream) => stream.close(goodbyeMs),
      () => undefined,
    );
  }

  /** Never throws. */
  async #follow(first: HoldStream): Promise<void> {
    for (let stream: HoldStream | null = first; stream !== null; ) {
      const ended = await this.#read(stream);
      if (this.#over.signal.aborted) return;
      this.#brokenAtMs = monotonicMs();
      this.#stream = null;
      if (ended !== null) {
        const { reason, at } = ended.ended;
        this.#lose(new LockLostError(`The lease ${this.name} ended at ${at}: ${reason}`, reason));
        return;
      }
      stream = await this.#recover();
    }
  }

  /** Reads until the connection is over; how the lease ended, if the sidecar has said so. */
  async #read(stream: HoldStream): Promise<EndedLease | null> {
    try {
      for await (const line of stream.lines) {
        if (line.event === 'ended') return line.lease;
        this.#tell(line);
      }
    } catch {
      // Broken, silent or garbled: what has become of the lease, the sidecar will know.
    }
    return null;
  }

  /** In a turn of its own: what a listener throws is its own matter, and must not break the hold. */
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

  async #recover(): Promise<HoldStream | null> {
    const { caller } = this;
    const { signal } = this.#over;
    const orphan = this.#orphan();
    const forMs = caller.timing.recoveryMs;
    try {
      const stream = await persist(() => takeUp(caller, orphan, signal, true), {
        forMs,
        timing: caller.timing,
        signal,
        passes: mayBeTakenUp,
        isBackground: true,
      });
      if (signal.aborted) {
        await stream.close(caller.timing.goodbyeMs);
        return null;
      }
      this.#stream = stream;
      this.#lease = stream.lease;
      return stream;
    } catch (error) {
      if (!signal.aborted) this.#lose(asLost(error, orphan));
      return null;
    }
  }

  #orphan(): Orphan {
    return { lease: this.#lease, reason: this.reason, grantedAtMs: this.#grantedAtMs, brokenAtMs: this.#brokenAtMs };
  }

  #lose(error: LockLostError): void {
    this.#over.abort();
    this.#aborter.abort(error);
  }
}
