import { MAX_TIMER_MS, type Clock } from '../../server/clock';
import type { DeadlineEvent, SidecarEvent } from '../events/event';
import { formatDuration } from '../../server/duration';
import { capitalised } from '../../server/text';
import type { Gate } from '../leases/gate';
import type { EndReason, Lease } from '../leases/lease';
import type { LeasePolicies } from '../leases/policies';
import { counting, NOT_WAITED, waitedAt, thingsHave, type UpdateNote, type Waited, type Waiting } from '../leases/waiting';

/** The parts of the deadline after which apps and people are warned. */
const WARNINGS = [1 / 3, 2 / 3] as const;

/**
 * How long the gate stays closed after the last lease was drained, if the update does not come: longer than a Supervisor
 * waits between two attempts by default (15 minutes), and not for ever, or apps would stand still for a device that is
 * offline. Milliseconds.
 */
const COMES_WITHIN_MS = 20 * 60_000;

/** What the deadline needs of the keeper. */
interface Keeper {
  leases(): Lease[];
  end(name: string, reason: EndReason): unknown;
  readonly notes: { readonly update: UpdateNote; recordUpdate(change: Partial<UpdateNote>): void };
}

/** What it needs to know of updates. */
interface Updates {
  /** Everything that waits without a break, also a release while a newer one is downloaded. */
  readonly unbroken: readonly Waiting[];
  /** Keeps looking for updates, even while the lock is free, until the returned function is called. */
  attend(): () => void;
}

export interface DeadlineOptions {
  readonly clock: Clock;
  /** How long an update may wait for the leases of apps, in milliseconds. */
  readonly deadlineMs: number;
  /** How long the apps then have to finish, in milliseconds. */
  readonly graceMs: number;
  /** A drain that a former process has begun ends no sooner than this: its holders could not be told. Milliseconds. */
  readonly restartGraceMs: number;
  readonly keeper: Keeper;
  readonly policies: Pick<LeasePolicies, 'of'>;
  /** Whether an update could go on once the apps have let go: in a fleet that takes turns, only in this device's turn. */
  readonly mayDrain: () => boolean;
  readonly updates: Updates;
  readonly emit: (event: DeadlineEvent | { readonly type: 'gate-opened' }) => void;
}

/**
 * No update waits for apps for ever. Once one has waited for the deadline, apps get no more leases, and their live leases end
 * after a grace: so an app that never lets go cannot keep a device from updates.
 */
export class Deadline {
  #waited = NOT_WAITED;
  #warnings = 0;
  /** When the gate opens again if the update does not come; null until the grace is over and the leases of apps have ended. */
  #opensAtMs: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #observation: NodeJS.Immediate | undefined;
  #stopAttending: (() => void) | null = null;

  constructor(private readonly options: DeadlineOptions) {}

  onEvent({ type }: SidecarEvent): void {
    if (type === 'store-opened') this.#resume();
    if (type === 'update-changed') this.#observe();
    if (type === 'fleet-changed') this.#schedule();
    // Many leases may come and go while one update waits.
    if (type === 'lease-acquired' || type === 'lease-ended') {
      this.#observation ??= setImmediate(() => {
        this.#observation = undefined;
        this.#observe();
        // The lock may be free for an update without a turn now, as where somebody allows it.
        if (this.isDue) this.#schedule();
      });
    }
  }

  /** Goes on with what a former process has counted, unless an update has been counted by now. */
  #resume(): void {
    if (this.#waited !== NOT_WAITED) return;
    const { clock, deadlineMs, restartGraceMs, keeper, updates } = this.options;
    const nowMs = clock.monotonicMs();
    this.#waited = afterRestart(keeper.notes.update.waited, nowMs + restartGraceMs);
    const waitedMs = waitedAt(this.#waited, nowMs);
    this.#warnings = WARNINGS.filter((part) => part * deadlineMs <= waitedMs).length;
    if (this.isDraining) this.#stopAttending ??= updates.attend();
    this.#schedule();
    this.#observe();
  }

  /** Whether the apps have had all the time that an update may wait for them. */
  get isDue(): boolean {
    const { atMs } = this;
    return this.isDraining || (atMs !== null && this.options.clock.monotonicMs() >= atMs);
  }

  get isDraining(): boolean {
    return this.#waited.drainEndsAtMs !== null;
  }

  /** When the leases of apps end, in monotonic milliseconds; null unless draining. In the past once they have ended. */
  get drainEndsAtMs(): number | null {
    return this.#waited.drainEndsAtMs;
  }

  /** When apps are drained if nothing changes, in monotonic milliseconds; null while nothing waits for them. */
  get atMs(): number | null {
    const { countingSinceMs, waitedMs } = this.#waited;
    return countingSinceMs === null || this.isDraining ? null : countingSinceMs + this.options.deadlineMs - waitedMs;
  }

  /** Holders whose leases survive a drain pass: they hold the lock however long an update has waited. */
  readonly gate: Gate = ({ name }) => {
    if (!this.isDraining || (name !== null && this.options.policies.of(name).survivesDrain)) return null;
    return { code: 'draining', detail: `${this.#reason()}; no lease is granted until it has come.`, opensAtMs: null };
  };

  #observe(): void {
    const { clock, keeper, policies, updates } = this.options;
    const waits = updates.unbroken.length > 0;
    if (this.isDraining) {
      if (!waits) this.#open(true);
      return;
    }
    if (!waits) {
      if (this.#waited.countingSinceMs !== null || this.#waited.waitedMs > 0) this.#become(NOT_WAITED);
      this.#warnings = 0;
      return;
    }
    const live = keeper.leases().map(({ name }) => policies.of(name).deadline);
    const isCounting = live.includes('counts') && !live.includes('pauses');
    const waited = counting(this.#waited, isCounting, clock.monotonicMs());
    if (waited !== this.#waited) this.#become(waited);
  }

  close(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#observation);
  }

  #become(waited: Waited): void {
    this.#waited = waited;
    this.options.keeper.notes.recordUpdate({ waited });
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
    // An event tells of the turn.
    if (this.isDue && !this.options.mayDrain()) return null;
    return countingSinceMs + (WARNINGS[this.#warnings] ?? 1) * this.options.deadlineMs - waitedMs;
  }

  #step(): void {
    const { clock, deadlineMs, graceMs, updates, emit } = this.options;
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
      this.#drain();
      return;
    }
    const deadlineAtMs = this.atMs;
    if (deadlineAtMs === null) return;
    if (nowMs >= deadlineAtMs) {
      if (!this.options.mayDrain()) {
        emit({ type: 'deadline-passed', waiting: updates.unbroken });
        return;
      }
      this.#become({ waitedMs: deadlineMs, countingSinceMs: null, drainEndsAtMs: nowMs + graceMs });
      this.#stopAttending ??= this.options.updates.attend();
      emit({ type: 'draining', endsAtMs: nowMs + graceMs, reason: this.#reason(), holders: this.#holders() });
      return;
    }
    const waitedMs = waitedAt(this.#waited, nowMs);
    if (waitedMs < (WARNINGS[this.#warnings] ?? 1) * deadlineMs) return;
    this.#warnings += 1;
    emit({ type: 'deadline-nears', waiting: updates.unbroken, waitedMs, deadlineAtMs, holders: this.#holders() });
  }

  #open(hasCome: boolean): void {
    this.#warnings = 0;
    this.#opensAtMs = null;
    this.#become(NOT_WAITED);
    this.#stopAttending?.();
    this.#stopAttending = null;
    this.options.emit({ type: 'drained', hasCome });
    this.options.emit({ type: 'gate-opened' });
  }

  #drain(): void {
    const { keeper, policies } = this.options;
    for (const { name } of keeper.leases()) if (!policies.of(name).survivesDrain) keeper.end(name, 'drained');
  }

  /** The names of the live leases, oldest first. */
  #holders(): string[] {
    return this.options.keeper.leases().map(({ name }) => name);
  }

  #reason(): string {
    const { deadlineMs, updates } = this.options;
    return `${capitalised(thingsHave(updates.unbroken))} waited for the apps for ${formatDuration(deadlineMs)}, which is the deadline`;
  }
}

function afterRestart(waited: Waited, graceEndsAtMs: number): Waited {
  if (waited.drainEndsAtMs === null) return waited;
  return { ...waited, drainEndsAtMs: Math.max(waited.drainEndsAtMs, graceEndsAtMs) };
}
