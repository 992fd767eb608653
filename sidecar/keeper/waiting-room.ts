import { MAX_TIMER_MS, type Clock } from '../../server/clock';
import type { KeeperEvent } from '../events/event';
import { isPassing, type Refusal } from '../leases/refusal-codes';
import { refused, type AcquireRequest, type Outcome } from '../leases/request';
import { STOPPING } from './refusal-texts';

interface Waiter {
  readonly request: AcquireRequest;
  readonly deliver: (outcome: Outcome) => void;
  readonly timer: NodeJS.Timeout;
  /** Why it was not granted when it was last tried. */
  refusal: Refusal;
}

/** The requests that wait for a lock that cannot be had now, served in the order in which they came. */
export class WaitingRoom {
  readonly #waiters = new Set<Waiter>();
  #isCalled = false;
  #callTimer: NodeJS.Timeout | undefined;
  #callTimerAtMs = Infinity;

  /** Why the waiting requests were not granted yet; null if there are none. */
  get refusal(): Refusal | null {
    for (const { refusal } of this.#waiters) return refusal;
    return null;
  }

  /** @param attempt tries a request now */
  constructor(
    private readonly clock: Clock,
    private readonly attempt: (request: AcquireRequest) => Outcome,
    private readonly emit: (event: KeeperEvent) => void = () => undefined,
  ) {}

  /**
   * Tries a request, and lets it wait if that may help. A request for a new lease waits behind those that wait already,
   * even if the lock is free by now.
   * @returns null if the outcome has been delivered; or drops the request that waits: then nothing is granted or delivered
   */
  admit(request: AcquireRequest, isForNew: boolean, waitMs: number, deliver: (outcome: Outcome) => void): (() => void) | null {
    const { name } = request;
    const deliverAndTell = (outcome: Outcome): void => {
      if (outcome.kind === 'refused') this.emit({ type: 'refused', name, refusal: outcome.refusal });
      deliver(outcome);
    };
    const ahead = waitMs > 0 && isForNew ? this.refusal : null;
    const outcome = ahead === null ? this.attempt(request) : refused(ahead);
    if (ahead !== null) this.call();
    if (outcome.kind === 'granted' || !isPassing(outcome.refusal) || waitMs <= 0) {
      deliverAndTell(outcome);
      return null;
    }
    const remove = this.add(request, outcome.refusal, waitMs, deliverAndTell);
    this.emit({ type: 'request-waits', name, refusal: outcome.refusal });
    return () => {
      if (remove()) this.emit({ type: 'request-dropped', name });
    };
  }

  /**
   * Lets a refused request wait. Delivers exactly once: the outcome, or at the end of the wait the last refusal.
   * @returns takes the request out: then it is never granted, and nothing is delivered; false if it was not in any more
   */
  add(request: AcquireRequest, refusal: Refusal, waitMs: number, deliver: (outcome: Outcome) => void): () => boolean {
    const timer = setTimeout(() => {
      this.#waiters.delete(waiter);
      deliver(refused(waiter.refusal));
    }, Math.min(waitMs, MAX_TIMER_MS));
    const waiter: Waiter = { request, deliver, timer, refusal };
    this.#waiters.add(waiter);
    this.#callWhenItMayPass(refusal);
    return () => this.#remove(waiter);
  }

  /**
   * To be called when the lock may be had again. The attempts come after everything else that the kernel has reported in this
   * turn of the event loop, so that a client that has gone by now is not granted anything.
   */
  call(): void {
    if (this.#isCalled || this.#waiters.size === 0) return;
    this.#isCalled = true;
    setImmediate(() => {
      this.#isCalled = false;
      this.#serve();
    });
  }

  /** Refuses all requests that wait. */
  close(): void {
    clearTimeout(this.#callTimer);
    for (const waiter of this.#waiters) {
      this.#remove(waiter);
      waiter.deliver(refused(STOPPING));
    }
  }

  #serve(): void {
    for (const waiter of this.#waiters) {
      const outcome = this.attempt(waiter.request);
      if (outcome.kind === 'refused' && isPassing(outcome.refusal)) {
        waiter.refusal = outcome.refusal;
        this.#callWhenItMayPass(outcome.refusal);
        // The others would be refused for the same reason, unless it is a drain: that is for apps, and windows close all the same.
        if (outcome.refusal.code === 'draining') continue;
        return;
      }
      this.#remove(waiter);
      waiter.deliver(outcome);
    }
  }

  #remove(waiter: Waiter): boolean {
    clearTimeout(waiter.timer);
    return this.#waiters.delete(waiter);
  }

  #callWhenItMayPass({ retryAfterMs }: Refusal): void {
    if (retryAfterMs === undefined) return;
    const atMs = this.clock.monotonicMs() + retryAfterMs;
    if (atMs >= this.#callTimerAtMs) return;
    clearTimeout(this.#callTimer);
    this.#callTimerAtMs = atMs;
    this.#callTimer = setTimeout(() => {
      this.#callTimerAtMs = Infinity;
      this.call();
    }, Math.min(Math.ceil(retryAfterMs), MAX_TIMER_MS));
  }
}
