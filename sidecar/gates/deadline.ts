import type { Clock } from '../clock';
import { formatDuration } from '../leases/duration';
import type { Gate } from '../leases/gate';
import { WINDOW_LEASE } from '../leases/lease';
import { counting, NOT_WAITED, waitedAt, type Waited } from '../leases/waited';

/** When people are warned, as parts of the deadline. */
const WARNINGS = [1 / 3, 2 / 3] as const;

/**
 * How long the gate stays closed after the last lease was drained, if the update does not come: longer than a Supervisor
 * waits between two attempts by default (15 minutes), and not for ever, or apps would stand still for a device that is
 * offline. Milliseconds.
 */
const COMES_WITHIN_MS = 20 * 60_000;

/** A timer of Node's fires at once if it is set for longer. Milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export type DeadlineEvent =
  /** An update has waited for a third, or two thirds, of the deadline. */
  | { readonly type: 'deadline-nears'; readonly waitedMs: number; readonly deadlineAtMs: number; readonly holders: readonly string[] }
  | { readonly type: 'draining'; readonly endsAtMs: number; readonly reason: string; readonly holders: readonly string[] }
  /** The gate is open again: the update has come, or has not come in time. */
  | { readonly type: 'drained'; readonly hasCome: boolean };

export interface DeadlineOptions {
  readonly clock: Clock;
  /** How long an update may wait for the leases of apps, in milliseconds. */
  readonly deadlineMs: number;
  /** How long they are given then, in milliseconds. */
  readonly graceMs: number;
  /** What a former process has counted. */
  readonly waited: Waited;
  readonly remember: (waited: Waited) => void;
  /** The names of the live leases, oldest first. */
  readonly holders: () => string[];
  /** Ends the leases of apps. */
  readonly drain: () => void;
  readonly emit: (event: DeadlineEvent) => void;
}

/**
 * No update waits for apps without end. Once one has waited for that long, apps get no more leases, and those that they
 * have end after a grace: so an app that never lets go cannot keep a device from updates for ever.
 */
export class Deadline {
  #waited: Waited;
  #warnings: number;
  /** When the gate opens again if the update does not come; null until the grace is over and the leases of apps have ended. */
  #opensAtMs: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: DeadlineOptions) {
    this.#waited = options.waited;
    const waitedMs = waitedAt(this.#waited, options.clock.monotonicMs());
    this.#warnings = WARNINGS.filter((part) => part * options.deadlineMs <= waitedMs).length;
    this.#schedule();
  }

  get isDraining(): boolean {
    return this.#waited.drainEndsAtMs !== null;
  }

  /** When apps are drained if nothing changes, in monotonic milliseconds; null while nothing waits for them. */
  get atMs(): number | null {
    const { countingSinceMs, waitedMs } = this.#waited;
    return countingSinceMs === null || this.isDraining ? null : countingSinceMs + this.options.deadlineMs - waitedMs;
  }

  /** The sidecar's own window is not closed by a deadline: its owner wants no update now, however long one has waited. */
  readonly gate: Gate = ({ name }) => {
    if (!this.isDraining || name === WINDOW_LEASE) return null;
    return { code: 'draining', detail: `${this.#reason()}; no lease is granted until it has come.`, opensAtMs: null };
  };

  /** To be called whenever one of these may have changed. */
  observe({ waits, holdsForApps, isWindowClosed }: { waits: boolean; holdsForApps: boolean; isWindowClosed: boolean }): void {
    const nowMs = this.options.clock.monotonicMs();
    if (this.isDraining) {
      if (!waits) this.#open(true);
      return;
    }
    if (!waits) {
      if (this.#waited.countingSinceMs !== null || this.#waited.waitedMs > 0) this.#become(NOT_WAITED);
      this.#warnings = 0;
      return;
    }
    const waited = counting(this.#waited, holdsForApps && !isWindowClosed, nowMs);
    if (waited !== this.#waited) this.#become(waited);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #become(waited: Waited): void {
    this.#waited = waited;
    this.options.remember(waited);
    this.#schedule();
  }

  /** One timer for what comes next: a warning, the deadline, the end of the grace, or of the wait for the update. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const atMs = this.#nextAtMs();
    if (atMs === null) return;
    const delayMs = Math.ceil(Math.max(0, atMs - this.options.clock.monotonicMs()));
    this.#timer = setTimeout(() => {
      if (delayMs <= MAX_TIMER_MS) this.#step();
      this.#schedule();
    }, Math.min(delayMs, MAX_TIMER_MS)).unref();
  }

  #nextAtMs(): number | null {
    const { countingSinceMs, waitedMs, drainEndsAtMs } = this.#waited;
    if (drainEndsAtMs !== null) return this.#opensAtMs ?? drainEndsAtMs;
    if (countingSinceMs === null) return null;
    return countingSinceMs + (WARNINGS[this.#warnings] ?? 1) * this.options.deadlineMs - waitedMs;
  }

  #step(): void {
    const { clock, deadlineMs, graceMs, drain, holders, emit } = this.options;
    const nowMs = clock.monotonicMs();
    const { drainEndsAtMs } = this.#waited;
    if (drainEndsAtMs !== null) {
      if (nowMs < (this.#opensAtMs ?? drainEndsAtMs)) return;
      if (this.#opensAtMs !== null) {
        this.#open(false);
        return;
      }
      // From now, not from when it should have been: we may have been stopped for longer than that.
      this.#opensAtMs = nowMs + COMES_WITHIN_MS;
      drain();
      return;
    }
    const deadlineAtMs = this.atMs;
    if (deadlineAtMs === null) return;
    if (nowMs >= deadlineAtMs) {
      this.#become({ waitedMs: deadlineMs, countingSinceMs: null, drainEndsAtMs: nowMs + graceMs });
      emit({ type: 'draining', endsAtMs: nowMs + graceMs, reason: this.#reason(), holders: holders() });
      return;
    }
    const waitedMs = waitedAt(this.#waited, nowMs);
    if (waitedMs < (WARNINGS[this.#warnings] ?? 1) * deadlineMs) return;
    this.#warnings += 1;
    emit({ type: 'deadline-nears', waitedMs, deadlineAtMs, holders: holders() });
  }

  #open(hasCome: boolean): void {
    this.#warnings = 0;
    this.#opensAtMs = null;
    this.#become(NOT_WAITED);
    this.options.emit({ type: 'drained', hasCome });
  }

  #reason(): string {
    return `An update has waited for the apps for ${formatDuration(this.options.deadlineMs)}, which is the deadline`;
  }
}
