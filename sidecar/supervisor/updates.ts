import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../server/clock';
import { RetryOnRelease } from './retry-on-release';
import { SharedRequests } from './shared-requests';
import type { SupervisorAddress } from './supervisor-api';
import { SupervisorApi } from './supervisor-api';
import type { SidecarEvent, UpdateEvent } from '../events/event';
import type { Lease } from '../leases/lease';
import type { UpdateNote, Waiting, WaitingKind } from '../leases/waiting';
import { UpdateRequests, type ByHandResult, type LockState, type UpdateRequest } from './update-requests';
import { RebootWatch } from './reboot-watch';
import { ReleaseWatch } from './release-watch';
import type { ReleaseStatus } from './release-status';
import { readingTarget, type TargetWish } from './target-reader';
import { isPending, type UpdateStatus } from './update-status';
import { Waiters } from './waiters';

/** How long a stop waits for the request to the Supervisor after the last release, in milliseconds: a stop takes 4 s at most. */
const ENDS_WITHIN_MS = 2500;

const SILENCE = 'Helios does not tell whether an update waits.';

/**
 * How long a request without a wait lasts while the Supervisor does not answer: less than the 10 s that clients wait for an
 * answer. Milliseconds.
 */
const LOOKS_WITHIN_MS = 8000;

/** The state of updates, and a way to ask for one. The same with and without the Supervisor's API. */
export interface UpdateSource {
  /** The last known state; also if the Supervisor is not configured or was never asked. */
  readonly status: UpdateStatus;
  /** The same, but null if nothing useful is known. */
  readonly known: UpdateStatus | null;
  /**
   * Calls back once an update is pending, or at the end of the wait; never before it has returned.
   * @returns stops waiting: then nothing is called back
   */
  whenPending(waitMs: number, onAnswer: () => void): () => void;
  /** Asks the Supervisor for an update, for a client. */
  request(request: UpdateRequest): Promise<ByHandResult>;
}

/** What this room needs of the keeper. */
interface Keeper {
  readonly heldSinceMs: number | null;
  readonly isUpdating: boolean;
  leases(): Lease[];
  readonly notes: { readonly update: UpdateNote; recordUpdate(change: Partial<UpdateNote>): void };
}

export interface UpdatesOptions {
  readonly address: SupervisorAddress;
  readonly pollMs: number;
  /** How often the host's journal is read; null for never. Milliseconds. */
  readonly hostPollMs: number | null;
  /** Tells our lock file among those of the host. */
  readonly isOurLock: (path: string) => boolean;
  /** Null if nobody wants to know which release the device is to have. */
  readonly targetWish: TargetWish | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly keeper: Keeper;
  readonly emit: (event: UpdateEvent) => void;
}

/** The device's Supervisor: the state of updates that it reports, and requests to it. */
export class Updates implements UpdateSource {
  readonly #api: SupervisorApi;
  readonly #releases: ReleaseWatch;
  readonly #reboots: RebootWatch;
  readonly #requests: UpdateRequests;
  readonly #retry: RetryOnRelease;
  readonly #waiters = new Waiters();
  /** The requests that clients cause. */
  readonly #looks = new SharedRequests<unknown>();
  readonly #tries = new SharedRequests<ByHandResult>();
  /** Null until the first event: a lease of a former process may have ended before it was ever live in this one. */
  #wasHeld: boolean | null = null;
  #wasRebootAhead = false;

  constructor(private readonly options: UpdatesOptions) {
    const { address, pollMs, hostPollMs, isOurLock, targetWish, clock, random, keeper, emit } = options;
    const api = new SupervisorApi(address);
    this.#api = api;
    const lock: LockState = {
      isHeld: () => keeper.heldSinceMs !== null,
      isSupervisors: () => keeper.isUpdating,
      holders: () => keeper.leases().map(({ name }) => name),
    };
    const reader = targetWish === null ? api : readingTarget(api, targetWish);
    this.#releases = new ReleaseWatch({ api: reader, clock, random, pollMs, isHeld: () => lock.isHeld(), emit });
    this.#reboots = new RebootWatch({ api, clock, pollMs: hostPollMs, isOurs: isOurLock, emit });
    this.#requests = new UpdateRequests({ api, watch: this.#releases, lock, emit });
    this.#retry = new RetryOnRelease({ clock, watch: this.#releases, requests: this.#requests, lock });
  }

  get status(): UpdateStatus {
    const { supervisor, problem, downloaded, downloading, failed, isSilent } = this.#releases.status;
    const waiting = [...this.#releases.waiting, ...this.#reboots.waiting];
    return { supervisor, problem, downloaded, downloading, failed, isSilent, waiting, isRebootNear: this.#reboots.isNear, detail: this.#reboots.detail ?? (isSilent ? SILENCE : null) };
  }

  get known(): UpdateStatus | null {
    const { status } = this;
    return this.#releases.isKnown || isPending(status) ? status : null;
  }

  /** Which release the device has and is to have, with which Supervisor and host OS, as of the last answer. */
  get release(): Pick<ReleaseStatus, 'runs' | 'target' | 'version' | 'os'> {
    return this.#releases.status;
  }

  /** Everything that waits without a break, also a release while a newer one is downloaded. */
  get unbroken(): Waiting[] {
    const { waitsSinceMs } = this.#releases.status;
    return [...(waitsSinceMs === null ? [] : [{ what: 'release', sinceMs: waitsSinceMs } as const]), ...this.#reboots.waiting];
  }

  onEvent(event: SidecarEvent): void {
    this.#reboots.onEvent(event);
    switch (event.type) {
      case 'store-opened':
        this.#resume();
        return;
      case 'lease-acquired':
        this.#onLock(true, false);
        return;
      case 'lease-ended':
        if (event.lock !== 'held') this.#onLock(false, event.lock === 'lost');
        return;
      case 'lock-turned':
        this.#requests.check();
        // An update has come to an end, one way or the other.
        if (event.from === 'updating' && this.#releases.status.waitsSinceMs !== null) this.#releases.lookInAftermath();
        return;
      case 'update-changed':
        this.#onChange();
        if (this.#wasRebootAhead && !this.#isRebootAhead() && this.options.keeper.heldSinceMs === null) this.#retryRelease();
        this.#wasRebootAhead = this.#isRebootAhead();
        return;
      case 'stopping':
        this.#waiters.answerAll();
        return;
      default:
    }
  }

  /** Continues with the state that a former process knew: it may have been killed between a release and the request that follows. */
  #resume(): void {
    const { keeper } = this.options;
    const since = (kind: WaitingKind): number | null => keeper.notes.update.waiting.find(({ what }) => what === kind)?.sinceMs ?? null;
    this.#releases.resume(since('release'));
    this.#reboots.resume(since('reboot'));
    if (this.#releases.status.waitsSinceMs !== null && keeper.heldSinceMs === null) this.#retryRelease();
  }

  /** `isLost` if the lock was taken away rather than given back. */
  #onLock(isHeld: boolean, isLost: boolean): void {
    if (isHeld === this.#wasHeld) return;
    this.#wasHeld = isHeld;
    if (isHeld) {
      this.#retry.onHeld();
      this.#releases.onHeld();
    } else {
      this.#releases.onReleased();
      if (!isLost) this.#retryRelease();
    }
    this.#requests.check();
  }

  /**
   * Has the Supervisor try now, unless a reboot is to come first: the host does not look at the Supervisor's lock, and would reboot in the
   * middle of the update. The release follows after the reboot.
   */
  #retryRelease(): void {
    if (!this.#isRebootAhead()) this.#retry.onReleased();
  }

  #isRebootAhead(): boolean {
    return this.#reboots.waiting.length > 0 || this.#reboots.isNear;
  }

  #onChange(): void {
    const { keeper } = this.options;
    const waiting = this.unbroken;
    if (!isDeepStrictEqual(waiting, keeper.notes.update.waiting)) keeper.notes.recordUpdate({ waiting });
    this.#requests.check();
    // After all listeners: the answer shows the deadline, which begins to count with this event.
    if (isPending(this.status)) setImmediate(() => { this.#waiters.answerAll(); });
  }

  /** Polls, even while the lock is free, until the returned function is called. */
  attend(): () => void {
    const stop = [this.#releases.attend(), this.#reboots.attend()];
    return () => { for (const each of stop) each(); };
  }

  /** The same, without the journal of the host, in which only reboots are: to read that starts a process. */
  attendReleases(): () => void {
    return this.#releases.attend();
  }

  /** Asks the Supervisor now what waits. */
  async readNow(): Promise<UpdateStatus> {
    await this.#looks.ask('status', () => this.#releases.lookTwice());
    return this.status;
  }

  /** Asks the Supervisor now; false if it does not answer, or is still finding out. */
  async isNothingPending(): Promise<boolean> {
    return await this.#releases.isNothingPending() && !(await this.#api.isApplying());
  }

  /**
   * Asks the Supervisor, and calls back once an update is pending, or at the end of the wait; without one, once it has answered, or is
   * clearly not going to.
   * @returns stops waiting: then nothing is called back
   */
  whenPending(waitMs: number, onAnswer: () => void): () => void {
    const waits = waitMs > 0;
    const stopAttending = waits ? this.attend() : (): void => undefined;
    const waiter = this.#waiters.add(waits ? waitMs : LOOKS_WITHIN_MS, () => {
      stopAttending();
      onAnswer();
    });
    void this.#looks.ask('status', () => this.#releases.lookTwice()).then(() => {
      if (!waits || isPending(this.status)) waiter.answer();
    });
    return () => {
      stopAttending();
      waiter.leave();
    };
  }

  async request(request: UpdateRequest): Promise<ByHandResult> {
    const result = await this.#tries.ask(request.force ? 'force' : 'retry', () => this.#requests.byHand(request));
    if (!result.ok) this.options.emit({ type: 'update-refused', peer: request.peer, problem: result.problem });
    return result;
  }

  /** Lets the request after the last release finish, if that is soon. */
  async close(): Promise<void> {
    this.#releases.close();
    this.#reboots.close();
    await Promise.race([this.#retry.close(), sleep(ENDS_WITHIN_MS, undefined, { ref: false })]);
    this.#requests.close();
  }
}
