import type { Clock } from '../../server/clock';
import type { UpdateEvent } from '../events/event';
import type { SupervisorApi } from './supervisor-api';
import { afterFailure, afterReading, differs, isPending, NEVER_ASKED, type UpdateStatus } from './update-status';

/** While the Supervisor cannot be reached it is asked less and less often, down to this, in milliseconds. */
const MAX_BACK_OFF_MS = 300_000;

/** How much sooner than the poll interval says it may be asked: many devices should not ask in step. */
const JITTER = 0.1;

/** How soon after a reading with an update in it the next one tells whether the update waits, in milliseconds. */
const CONFIRM_AFTER_MS = 700;

/** A lock that is held for less costs no reading, in milliseconds. */
const FIRST_LOOK_AFTER_MS = 1000;

/** When to look after something has happened that may end the waiting, while nobody polls. Milliseconds. */
const AFTERMATH_MS = [500, 1500, 3000, 5000] as const;

export interface UpdateWatchOptions {
  readonly api: Pick<SupervisorApi, 'read'>;
  readonly clock: Clock;
  /** From 0 to 1, as `Math.random` gives it. */
  readonly random: () => number;
  readonly pollMs: number;
  readonly isHeld: () => boolean;
  readonly emit: (event: UpdateEvent) => void;
}

/**
 * Asks the Supervisor whether an update waits: every now and then while the lock is held or somebody wants to know, and
 * otherwise not at all. One request at a time.
 */
export class UpdateWatch {
  #status: UpdateStatus = NEVER_ASKED;
  #inFlight: Promise<UpdateStatus> | null = null;
  #attendants = 0;
  #failures = 0;
  #nextAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #aftermath: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(private readonly options: UpdateWatchOptions) {}

  /** Goes on with an update that has waited since then, as a former process knew it; unless more is known by now. */
  resume(waitsSinceMs: number | null): void {
    if (this.#status.readAtMs === null) this.#status = { ...this.#status, waitsSinceMs };
  }

  get status(): UpdateStatus {
    return this.#status;
  }

  /** What is known and not old: null if nothing is. */
  get known(): UpdateStatus | null {
    const { clock, pollMs, isHeld } = this.options;
    const { readAtMs } = this.#status;
    if (readAtMs === null && this.#failures === 0) return null;
    const isRecent = readAtMs !== null && clock.monotonicMs() - readAtMs <= Math.max(3 * pollMs, 60_000);
    return isHeld() || this.#attendants > 0 || isRecent ? this.#status : null;
  }

  /** To be called when the lock is held from now on. */
  onHeld(): void {
    clearTimeout(this.#aftermath);
    const soonMs = this.options.clock.monotonicMs() + Math.min(FIRST_LOOK_AFTER_MS, this.options.pollMs);
    this.#nextAtMs = Math.max(this.#nextAtMs, soonMs);
    this.#schedule();
  }

  /** To be called when it is not held any more. */
  onReleased(): void {
    this.#schedule();
  }

  /** Keeps the polling up although nothing is held, until what is returned is called. */
  attend(): () => void {
    let isThere = true;
    this.#attendants += 1;
    this.#schedule();
    return () => {
      if (isThere) this.#attendants -= 1;
      isThere = false;
      this.#schedule();
    };
  }

  /** Asks now; or, if that is being done, waits for the answer. */
  look(): Promise<UpdateStatus> {
    this.#inFlight ??= this.#read(false).finally(() => {
      this.#inFlight = null;
      this.#schedule();
    });
    return this.#inFlight;
  }

  /** Asks now, after the lock was given back: what failed so far failed because of it. */
  async lookAfterRelease(): Promise<UpdateStatus> {
    while (this.#inFlight !== null) await this.#inFlight;
    this.#inFlight = this.#read(true).finally(() => {
      this.#inFlight = null;
      this.#schedule();
    });
    return this.#inFlight;
  }

  /** Asks until it can be said whether an update waits. */
  async lookTwice(): Promise<UpdateStatus> {
    const status = await this.look();
    if (status.seenOnceAtMs === null) return status;
    await new Promise((resolve) => setTimeout(resolve, CONFIRM_AFTER_MS).unref());
    return this.look();
  }

  /** Looks a few times within some seconds, until no update waits any more. */
  lookInAftermath(step = 0): void {
    clearTimeout(this.#aftermath);
    const delayMs = AFTERMATH_MS[step];
    if (delayMs === undefined || this.#isClosed) return;
    this.#aftermath = setTimeout(() => {
      void this.look().then((status) => {
        if (status.waitsSinceMs !== null && !this.options.isHeld()) this.lookInAftermath(step + 1);
      });
    }, delayMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#aftermath);
  }

  async #read(wasHeld: boolean): Promise<UpdateStatus> {
    const { api, clock, isHeld, random, pollMs } = this.options;
    const result = await api.read();
    const nowMs = clock.monotonicMs();
    if (result.ok) {
      this.#failures = 0;
      this.#become(afterReading(this.#status, result.reading, nowMs, wasHeld || isHeld()));
    } else {
      this.#failures += 1;
      this.#become(afterFailure(this.#status, result.problem));
    }
    const steadyMs = Math.min(pollMs * 2 ** Math.max(0, this.#failures - 1), Math.max(pollMs, MAX_BACK_OFF_MS));
    const delayMs = this.#status.seenOnceAtMs === null ? steadyMs * (1 - JITTER * random()) : Math.min(CONFIRM_AFTER_MS, pollMs);
    this.#nextAtMs = nowMs + delayMs;
    return this.#status;
  }

  #become(status: UpdateStatus): void {
    const was = this.#status;
    this.#status = status;
    const { emit } = this.options;
    if (status.supervisor === 'unreachable') {
      if (was.problem !== status.problem) emit({ type: 'supervisor-missed', problem: status.problem ?? '' });
    } else if (was.supervisor === 'unreachable' && was.problem !== NEVER_ASKED.problem) {
      emit({ type: 'supervisor-reached' });
    }
    if (!differs(was, status)) return;
    const turn = isPending(was) === isPending(status) ? null : isPending(status) ? 'waits' : 'over';
    emit({ type: 'update-changed', turn });
    if (status.downloading && !was.downloading) emit({ type: 'download-began' });
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { clock, isHeld } = this.options;
    const isWanted = !this.#isClosed && (isHeld() || this.#attendants > 0);
    if (!isWanted || this.#inFlight !== null) return;
    this.#timer = setTimeout(() => void this.look(), Math.max(0, this.#nextAtMs - clock.monotonicMs())).unref();
  }
}
