import { documentOf, errorOf } from './answer';
import { Caller, type UpdateLockOptions } from './caller';
import { toMs } from './duration';
import { LockLostError } from './errors/lock-lost-error';
import { notConfiguredError } from './errors/not-configured-error';
import { UpdateLockError } from './errors/update-lock-error';
import { Events, type EventsOptions } from './events';
import { holdUntilReleased, holdWhile, type HoldOptions, type Routine } from './hold-lock';
import type { Hold } from './hold';
import { LONGEST_WAIT_MS } from './hold-stream';
import { checkName, makeName } from './lease-name';
import { persist } from './persist';
import type { Duration, EndedLease, Lease, LockEvent, LockStatus, Update } from './types';

export interface CallOptions {
  /** Aborts the call, which rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface RenewOptions extends CallOptions {
  /** How long from now; default: as before, or what the sidecar is set to. */
  ttl?: Duration | undefined;
  /** Why, for people who wonder what holds back an update; up to 256 characters. */
  reason?: string | undefined;
}

export interface AcquireOptions extends RenewOptions {
  /** Default: one of its own for each call. */
  name?: string | undefined;
  /** How long to wait for a lock that cannot be had now, or a sidecar that is not there yet; default 1 s, 0 for not at all. */
  wait?: Duration | undefined;
}

/** How long one request waits for an update, in milliseconds: connections that say nothing for hours tend to be lost. */
const UPDATE_WAIT_MS = 300_000;

/** The update lock of the device, held and watched through its sidecar. */
export class UpdateLock {
  readonly #caller: Caller;

  /** @throws InvalidRequestError if the URL, given or from the environment, is not one */
  constructor(options: UpdateLockOptions = {}) {
    this.#caller = new Caller(options);
  }

  /** Where the sidecar is asked, for messages. */
  get url(): string {
    return this.#caller.url;
  }

  /**
   * Holds the lock while a routine runs, or until it is released: no update is applied, and the device is not rebooted for one.
   * It ends by itself when this process does. Waits for the lock, and for a sidecar that is not there yet, without a limit unless
   * `wait` says otherwise. A restart of the sidecar is bridged.
   *
   * With a routine: settles as the routine does, after giving back the lock. The routine's `signal` aborts with a `LockLostError`
   * when the lock is lost, and with the reason of `options.signal` when that aborts; the lock is kept until the routine settles.
   * Without one: returns the hold, which `options.signal` releases.
   * @throws LockUnavailableError, UnreachableError if not granted within `wait`; NotAllowedError, InvalidRequestError; the signal's reason
   */
  hold(options?: HoldOptions): Promise<Hold>;
  hold<T>(routine: Routine<T>): Promise<T>;
  hold<T>(options: HoldOptions, routine: Routine<T>): Promise<T>;
  hold<T>(options: HoldOptions | Routine<T> = {}, routine?: Routine<T>): Promise<T | Hold> {
    if (typeof options === 'function') return holdWhile(this.#caller, {}, options);
    return routine === undefined ? holdUntilReleased(this.#caller, options) : holdWhile(this.#caller, options, routine);
  }

  /**
   * Acquires a lease for a time, or renews it if one of that name is live.
   * @throws LockUnavailableError, UnreachableError if not granted within `wait`; NotAllowedError, InvalidRequestError
   */
  async acquire(options: AcquireOptions = {}): Promise<Lease> {
    const { name = makeName(), ttl, reason, wait = 1, signal } = options;
    const path = pathOf(name);
    const json = { ttl: seconds(ttl, 'ttl'), reason };
    const { timing, url } = this.#caller;
    const attempt = async (leftMs: number): Promise<Lease> => {
      const waitMs = Math.min(leftMs, LONGEST_WAIT_MS);
      const asked = { ...json, wait: Math.floor(waitMs) / 1000 };
      return documentOf(await this.#caller.exchange({ method: 'PUT', path, json: asked, waitMs, signal }), url) as Lease;
    };
    return persist(attempt, { forMs: toMs(wait, 'wait'), timing, signal });
  }

  /**
   * Renews a live lease that was acquired for a time.
   * @throws LockLostError if it has ended, the code saying how
   */
  async renew(name: string, { ttl, reason, signal }: RenewOptions = {}): Promise<Lease> {
    const path = pathOf(name);
    const json = { ttl: seconds(ttl, 'ttl'), reason, wait: 0 };
    try {
      return (await this.#caller.ask({ method: 'PUT', path, headers: { 'If-Match': '*' }, json, signal })) as Lease;
    } catch (error) {
      if (!(error instanceof UpdateLockError) || error.code !== 'precondition-failed') throw error;
      throw await this.#howItEnded(name, error, signal);
    }
  }

  /** Releases a lease. Returns it as it was, or null if there was none. When it was the last one, the lock is given back by then. */
  async release(name: string, { signal }: CallOptions = {}): Promise<EndedLease | null> {
    const path = pathOf(name);
    const { timing } = this.#caller;
    const attempt = async (): Promise<EndedLease | null> => {
      const answer = await this.#caller.exchange({ method: 'DELETE', path, signal });
      return answer.status === 204 ? null : (documentOf(answer, this.url) as EndedLease);
    };
    return persist(attempt, { forMs: timing.patienceMs, timing, signal });
  }

  /** Who holds the lock, why, since when and until when. */
  async status({ signal }: CallOptions = {}): Promise<LockStatus> {
    return (await this.#caller.ask({ method: 'GET', path: '/v1/lock', signal })) as LockStatus;
  }

  /** The live leases, oldest first. */
  async leases({ signal }: CallOptions = {}): Promise<Lease[]> {
    const { leases } = (await this.#caller.ask({ method: 'GET', path: '/v1/leases', signal })) as { leases: Lease[] };
    return leases;
  }

  /** What happens, from now or from an event on, over restarts of the sidecar. It waits for one that is not there yet. */
  events(options: EventsOptions = {}): AsyncIterableIterator<LockEvent> {
    return new Events(this.#caller, options);
  }

  /** What is known of updates, after the sidecar has asked the Supervisor. `status` has it as of the last time. */
  async update({ signal }: CallOptions = {}): Promise<Update> {
    return (await this.#caller.ask({ method: 'GET', path: '/v1/update', signal })) as Update;
  }

  /**
   * Waits until an update waits for the lock, over restarts of the sidecar.
   * @throws UpdateLockError (`not-configured`) if the sidecar has no Supervisor to ask, since then it would never be known
   */
  async whenUpdatePending({ signal }: CallOptions = {}): Promise<Update> {
    const caller = this.#caller;
    // Hardly at first: whether it can be known at all is to be said at once.
    for (let waitMs = 1; ; waitMs = UPDATE_WAIT_MS) {
      const path = `/v1/update?wait=${String(waitMs / 1000)}`;
      const attempt = async (): Promise<Update> =>
        documentOf(await caller.exchange({ method: 'GET', path, waitMs, signal }), caller.url) as Update;
      const update = await persist(attempt, { forMs: Infinity, timing: caller.timing, signal });
      if (update.pending) return update;
      if (update.supervisor === 'not-configured') throw notConfiguredError();
    }
  }

  /**
   * Asks the Supervisor to try to update now. With `force` it takes the lock from whoever has it; that needs the admin token.
   * @throws UpdateLockError (`supervisor-unavailable`); NotAllowedError
   */
  async requestUpdate({ force, signal }: CallOptions & { force?: boolean | undefined } = {}): Promise<Update> {
    return (await this.#caller.ask({ method: 'POST', path: '/v1/update', json: { force }, signal })) as Update;
  }

  async #howItEnded(name: string, cause: UpdateLockError, signal: AbortSignal | undefined): Promise<Error> {
    const answer = await this.#caller.exchange({ method: 'GET', path: pathOf(name), signal });
    const error = errorOf(answer, this.url);
    // Anything else: nothing is known of it any more, or its name is another's by now.
    if (error instanceof LockLostError) return error;
    return new LockLostError(cause.message, 'lease-not-found', { cause });
  }
}

function pathOf(name: string): string {
  return `/v1/leases/${encodeURIComponent(checkName(name))}`;
}

function seconds(duration: Duration | undefined, what: string): number | undefined {
  return duration === undefined ? undefined : toMs(duration, what) / 1000;
}
