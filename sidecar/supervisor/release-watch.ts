import type { Clock } from '../../server/clock';
import type { UpdateEvent } from '../events/event';
import type { Waiting } from '../leases/waiting';
import type { SupervisorApi } from './supervisor-api';
import { afterFailure, afterReading, afterSilence, differs, releaseWaits, NEVER_ASKED, type ReleaseStatus } from './release-status';

/** The longest time between two attempts to reach a Supervisor that does not answer, in milliseconds. */
const MAX_BACK_OFF_MS = 300_000;

/** The part of the poll interval by which a request may be early, at random: many devices must not ask in step. */
const JITTER = 0.1;

/** After a first reading with a pending update, the next one follows after this time and shows whether it waits. Milliseconds. */
const CONFIRM_AFTER_MS = 700;

/** The first reading comes this long after the lock was taken: a short hold costs no request. Milliseconds. */
const FIRST_LOOK_AFTER_MS = 1000;

/** The times at which to look, without polling, after an event that may have ended the waiting. Milliseconds. */
const AFTERMATH_MS = [500, 1500, 3000, 5000] as const;

export interface ReleaseWatchOptions {
  readonly api: Pick<SupervisorApi, 'read'>;
  readonly clock: Clock;
  /** From 0 to 1, as `Math.random` gives it. */
  readonly random: () => number;
  readonly pollMs: number;
  readonly isHeld: () => boolean;
  readonly emit: (event: UpdateEvent) => void;
}

/**
 * Asks the Supervisor whether an update waits: at intervals while the lock is held or a client wants to know, otherwise never. One
 * request at a time.
 */
export class ReleaseWatch {
  #status: ReleaseStatus = NEVER_ASKED;
  #inFlight: Promise<ReleaseStatus> | null = null;
  #attendants = 0;
  #failures = 0;
  #nextAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #aftermath: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(private readonly options: ReleaseWatchOptions) {}

  /** Continues with an update that has waited since then, as a former process knew; unless more is known by now. */
  resume(waitsSinceMs: number | null): void {
    if (this.#status.readAtMs === null) this.#status = { ...this.#status, waitsSinceMs };
  }

  get status(): ReleaseStatus {
    return this.#status;
  }

  get waiting(): Waiting[] {
    const { waitsSinceMs } = this.#status;
    return waitsSinceMs !== null && releaseWaits(this.#status) ? [{ what: 'release', sinceMs: waitsSinceMs }] : [];
  }

  /** Whether the status is that of now, or of not long ago. */
  get isKnown(): boolean {
    const { clock, pollMs, isHeld } = this.options;
    const { readAtMs } = this.#status;
    if (readAtMs === null && this.#failures === 0) return false;
    const isRecent = readAtMs !== null && clock.monotonicMs() - readAtMs <= Math.max(3 * pollMs, 60_000);
    return isHeld() || this.#attendants > 0 || isRecent;
  }

  /** To be called when the lock was taken. */
  onHeld(): void {
    clearTimeout(this.#aftermath);
    const soonMs = this.options.clock.monotonicMs() + Math.min(FIRST_LOOK_AFTER_MS, this.options.pollMs);
    this.#nextAtMs = Math.max(this.#nextAtMs, soonMs);
    this.#schedule();
  }

  /** To be called when it was given back or lost. */
  onReleased(): void {
    this.#schedule();
  }

  /** Keeps polling, even while the lock is free, until the returned function is called. */
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

  /** Asks now; or waits for the answer, if a request is under way. */
  look(): Promise<ReleaseStatus> {
    this.#inFlight ??= this.#read(false).finally(() => {
      this.#inFlight = null;
      this.#schedule();
    });
    return this.#inFlight;
  }

  /** Asks now, after the lock was given back: an attempt that failed before, failed because of the lock. */
  lookAfterRelease(): Promise<ReleaseStatus> {
    return this.#lookAnew(true);
  }

  /** Asks now whether anything is pending, with a request that begins after this call; false if there is no answer. */
  async isNothingPending(): Promise<boolean> {
    await this.#lookAnew(false);
    const { supervisor, isSilent, waitsSinceMs, seenOnceAtMs } = await this.#confirm();
    return supervisor === 'reachable' && !isSilent && waitsSinceMs === null && seenOnceAtMs === null;
  }

  async #lookAnew(wasHeld: boolean): Promise<ReleaseStatus> {
    while (this.#inFlight !== null) await this.#inFlight;
    this.#inFlight = this.#read(wasHeld).finally(() => {
      this.#inFlight = null;
      this.#schedule();
    });
    return this.#inFlight;
  }

  /** Asks until it is certain whether an update waits. */
  async lookTwice(): Promise<ReleaseStatus> {
    await this.look();
    return this.#confirm();
  }

  async #confirm(): Promise<ReleaseStatus> {
    if (this.#status.seenOnceAtMs === null) return this.#status;
    await new Promise((resolve) => setTimeout(resolve, CONFIRM_AFTER_MS).unref());
    return this.look();
  }

  /** Looks several times within a few seconds, until no update waits any more. */
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

  async #read(wasHeld: boolean): Promise<ReleaseStatus> {
    const { api, clock, isHeld, random, pollMs } = this.options;
    const result = await api.read();
    const nowMs = clock.monotonicMs();
    if (result.ok) {
      this.#failures = 0;
      const { reading } = result;
      this.#become(reading === null ? afterSilence(nowMs) : afterReading(this.#status, reading, nowMs, wasHeld || isHeld()));
    } else {
      this.#failures += 1;
      this.#become(afterFailure(this.#status, result.problem));
    }
    const steadyMs = Math.min(pollMs * 2 ** Math.max(0, this.#failures - 1), Math.max(pollMs, MAX_BACK_OFF_MS));
    const delayMs = this.#status.seenOnceAtMs === null ? steadyMs * (1 - JITTER * random()) : Math.min(CONFIRM_AFTER_MS, pollMs);
    this.#nextAtMs = nowMs + delayMs;
    return this.#status;
  }

  #become(status: ReleaseStatus): void {
    const was = this.#status;
    this.#status = status;
    const { emit } = this.options;
    if (status.supervisor === 'unreachable') {
      if (was.problem !== status.problem) emit({ type: 'supervisor-missed', problem: status.problem ?? '' });
    } else if (was.supervisor === 'unreachable') {
      emit({ type: 'supervisor-reached' });
    }
    if (!differs(was, status)) return;
    const waits = releaseWaits(status);
    emit({ type: 'update-changed', turn: waits === releaseWaits(was) ? null : { what: 'release', waits } });
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
