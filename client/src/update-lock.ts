import { documentOf, errorOf, HISTORY, leaseNamed, LEASES, LOCK, OVERRIDE, UPDATE } from './answer';
import { Caller, type UpdateLockOptions } from './caller';
import { checkOptions } from './check-options';
import { checkDuration, toMs } from './duration';
import { LockLostError } from './errors/lock-lost-error';
import { notConfiguredError } from './errors/update-lock-error';
import { Events, type EventsOptions } from './events';
import { holdUntilReleased, holdWhile, type HoldOptions, type Routine } from './hold-lock';
import type { Hold } from './hold';
import { idOf, ifMatch, leasePath, makeName } from './lease-name';
import { persist } from './persist';
import type { Duration, EndedLease, HistoryEntry, Lease, LockEvent, LockStatus, Override, Update } from './types';
import { WaitingTeller, type WaitingOptions } from './waiting';

export interface CallOptions {
  /** Aborts the call, which rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface RenewOptions extends CallOptions {
  /** The time to live, from now; by default that of the live lease, or the sidecar's default. */
  ttl?: Duration | undefined;
  /** Why the lock is held, for people; up to 256 characters. */
  reason?: string | undefined;
}

export interface AcquireOptions extends RenewOptions, WaitingOptions {
  /** The name of the lease; by default a new one for each call. */
  name?: string | undefined;
  /** How long to wait for the lock, and for a sidecar that is not running yet; by default 1 s, 0 for not at all. */
  wait?: Duration | undefined;
}

export interface OverrideOptions extends CallOptions {
  /** `allow`: whatever the update windows say; `hold`: the lock is held. */
  updates: Override['updates'];
  /** How long it lasts, from now; at most 30 days. */
  for: Duration;
  /** Why, for people; up to 256 characters. */
  reason?: string | undefined;
}

const CALL = { signal: true } as const;
const RENEW = { ...CALL, ttl: true, reason: true } as const;
const ACQUIRE = { ...RENEW, name: true, wait: true, onWaiting: true } as const;

/** How long one request waits for an update, in milliseconds: connections that are silent for hours tend to break. */
const UPDATE_WAIT_MS = 300_000;

/** The most leases whose ids are remembered: a program may use new names for ever, and release none. */
const MAX_IDS = 1000;

/** The update lock of the device, held and watched through its sidecar. */
export class UpdateLock {
  readonly #caller: Caller;
  /** The ids of the leases that were acquired here, so that `renew` and `release` only affect these. */
  readonly #ids = new Map<string, string>();

  /** @throws InvalidRequestError if the URL, given or from the environment, is not one */
  constructor(options: UpdateLockOptions = {}) {
    checkOptions('UpdateLock', options, { url: true, token: true });
    this.#caller = new Caller(options);
  }

  /** The sidecar's address, for messages. */
  get url(): string {
    return this.#caller.url;
  }

  /**
   * Holds the lock while a routine runs, or until it is released: no update is applied, and the device is not rebooted for one.
   * The lease ends when this process ends. Waits for the lock, and for a sidecar that is not running yet, without limit unless
   * `wait` says otherwise. The hold continues over a restart of the sidecar.
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
    checkOptions('acquire', options, ACQUIRE);
    const { name = makeName(), ttl, reason, wait = 1, signal, onWaiting } = options;
    const path = leasePath(name);
    const json = { ttl: checkDuration(ttl, 'ttl'), reason };
    const { timing } = this.#caller;
    const teller = new WaitingTeller(onWaiting, timing.patienceMs);
    const attempt = (leftMs: number): Promise<Lease> => {
      const waitMs = teller.limit(leftMs);
      return this.#caller.askOnce({ method: 'PUT', path, json: { ...json, wait: Math.floor(waitMs) / 1000 }, waitMs, signal }, leaseNamed(name));
    };
    const lease = await persist(attempt, { forMs: toMs(wait, 'wait'), timing, signal, onFailure: teller.tell });
    // A generated name is unique, so it can be sent again safely.
    if (options.name !== undefined) this.#remember(lease);
    return lease;
  }

  /**
   * Renews a live lease that was acquired for a time. If this object has acquired it, renews only that very lease, not one that another
   * client has acquired under its name since.
   * @throws LockLostError if it has ended, the code saying how
   */
  async renew(name: string, options: RenewOptions = {}): Promise<Lease> {
    checkOptions('renew', options, RENEW);
    const { ttl, reason, signal } = options;
    const id = this.#ids.get(name);
    const headers = id === undefined ? { 'If-Match': '*' } : ifMatch(id);
    const json = { ttl: checkDuration(ttl, 'ttl'), reason, wait: 0 };
    return this.#caller.ask({ method: 'PUT', path: leasePath(name), headers, json, signal }, leaseNamed(name));
  }

  /**
   * Releases a lease. Returns it as it was, or null if there was none. When it was the last one, the lock is given back by then.
   * If this object has acquired it, releases only that very lease: null if another client has acquired one under its name since.
   */
  async release(name: string, options: CallOptions = {}): Promise<EndedLease | null> {
    checkOptions('release', options, CALL);
    const { signal } = options;
    const path = leasePath(name);
    const headers = ifMatch(this.#ids.get(name));
    const { timing, url } = this.#caller;
    const attempt = async (): Promise<EndedLease | null> => {
      const answer = await this.#caller.exchange({ method: 'DELETE', path, headers, signal });
      return answer.status === 204 ? null : documentOf(answer, url, leaseNamed<EndedLease>(name));
    };
    const ended = await persist(attempt, { forMs: timing.patienceMs, timing, signal }).catch(nullIfLost);
    this.#ids.delete(name);
    return ended;
  }

  /** The lock: who holds it, why, since when and until when. */
  async status(options: CallOptions = {}): Promise<LockStatus> {
    checkOptions('status', options, CALL);
    return this.#caller.ask({ method: 'GET', path: '/v1/lock', signal: options.signal }, LOCK);
  }

  /** The live leases, oldest first. */
  async leases(options: CallOptions = {}): Promise<Lease[]> {
    checkOptions('leases', options, CALL);
    const { leases } = await this.#caller.ask({ method: 'GET', path: '/v1/leases', signal: options.signal }, LEASES);
    return leases;
  }

  /** What has happened lately, in words: up to fifty events since the sidecar's start, newest first. A program follows {@link events} instead. */
  async history(options: CallOptions = {}): Promise<HistoryEntry[]> {
    checkOptions('history', options, CALL);
    return (await this.#caller.ask({ method: 'GET', path: '/v1/history', signal: options.signal }, HISTORY)).events;
  }

  /** The events of the lock, from now or from an event on, over restarts of the sidecar. Waits for a sidecar that is not running yet. */
  events(options: EventsOptions = {}): AsyncIterableIterator<LockEvent> {
    checkOptions('events', options, { ...CALL, lastEventId: true, onConnection: true });
    return new Events(this.#caller, options);
  }

  /** The state of updates, after the sidecar has asked the Supervisor now. `status` has the last known state. */
  async update(options: CallOptions = {}): Promise<Update> {
    checkOptions('update', options, CALL);
    return this.#caller.ask({ method: 'GET', path: '/v1/update', signal: options.signal }, UPDATE);
  }

  /**
   * Waits until an update waits for the lock, over restarts of the sidecar.
   * @throws UpdateLockError (`not-configured`) if the sidecar has no Supervisor to ask, since then it would wait for ever
   */
  async whenUpdatePending(options: CallOptions = {}): Promise<Update> {
    checkOptions('whenUpdatePending', options, CALL);
    const { signal } = options;
    const { timing } = this.#caller;
    // The first request does not wait, to find out at once whether the sidecar can know.
    for (let waitMs = 1; ; waitMs = UPDATE_WAIT_MS) {
      const path = `/v1/update?wait=${String(waitMs / 1000)}`;
      const update = await persist(() => this.#caller.askOnce({ method: 'GET', path, waitMs, signal }, UPDATE), { forMs: Infinity, timing, signal });
      if (update.pending) return update;
      if (update.supervisor === 'not-configured') throw notConfiguredError();
    }
  }

  /**
   * Asks the Supervisor to try an update now. With `force` the holders lose the lock; that needs the admin token.
   * @throws UpdateLockError (`supervisor-unavailable`); NotAllowedError
   */
  async requestUpdate(options: CallOptions & { force?: boolean | undefined } = {}): Promise<Update> {
    checkOptions('requestUpdate', options, { ...CALL, force: true });
    const { force, signal } = options;
    return this.#caller.ask({ method: 'POST', path: '/v1/update', json: { force }, signal }, UPDATE);
  }

  /** The override by hand; null if there is none. */
  async override(options: CallOptions = {}): Promise<Override | null> {
    checkOptions('override', options, CALL);
    return (await this.status(options)).override;
  }

  /**
   * Allows or holds updates by hand for a time, in place of a former override. It outlives restarts and reboots.
   * @throws NotAllowedError without the admin token
   */
  async setOverride(options: OverrideOptions): Promise<Override> {
    checkOptions('setOverride', options, { ...CALL, updates: true, for: true, reason: true });
    const { updates, for: forHowLong, reason, signal } = options;
    const json = { updates, for: checkDuration(forHowLong, 'for'), reason };
    return this.#caller.ask({ method: 'PUT', path: '/v1/override', json, signal }, OVERRIDE);
  }

  /**
   * Ends the override by hand, if there is one.
   * @throws NotAllowedError without the admin token
   */
  async clearOverride(options: CallOptions = {}): Promise<void> {
    checkOptions('clearOverride', options, CALL);
    const { timing, url } = this.#caller;
    const attempt = async (): Promise<void> => {
      const answer = await this.#caller.exchange({ method: 'DELETE', path: '/v1/override', signal: options.signal });
      if (answer.status !== 204) throw errorOf(answer, url);
    };
    await persist(attempt, { forMs: timing.patienceMs, timing, signal: options.signal });
  }

  #remember(lease: Lease): void {
    const { name } = lease;
    const id = idOf(lease);
    this.#ids.delete(name);
    if (id === undefined) return;
    this.#ids.set(name, id);
    const [oldest] = this.#ids.keys();
    if (this.#ids.size > MAX_IDS && oldest !== undefined) this.#ids.delete(oldest);
  }
}

/** Whether the release failed because the lease has already ended. */
function nullIfLost(error: unknown): null {
  if (error instanceof LockLostError) return null;
  throw error;
}
