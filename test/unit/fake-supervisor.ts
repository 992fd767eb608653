import type { Clock } from '../../server/clock';
import type { UpdateEvent } from '../../sidecar/events/event';
import type { Reading } from '../../sidecar/supervisor/reading';
import type { ReadingResult, UpdateResult } from '../../sidecar/supervisor/supervisor-api';
import { ReleaseWatch } from '../../sidecar/supervisor/release-watch';

export const NOTHING: Reading = { pending: false, downloaded: false, downloading: false, failed: false, isBehindHelios: false, version: null, os: null, runs: null, target: null };
export const PENDING: Reading = { ...NOTHING, pending: true };
export const LOCKED: Reading = { ...PENDING, failed: true };

/** By the clock of Jest's fake timers. */
export const CLOCK: Clock = { monotonicMs: () => Date.now(), wallMs: () => Date.now() };

/** What a Supervisor answers, how long it takes, and a lock: all as the test says. */
export class FakeSupervisor {
  reading: Reading | string = NOTHING;
  updateResult: UpdateResult = { ok: true, status: 204 };
  takesMs = 0;
  isHeld = false;
  isSupervisors = false;
  readonly startedAtMs = Date.now();
  /** When it was read, and when asked for an update, since the start. */
  readonly reads: number[] = [];
  readonly updates: { atMs: number; force: boolean; cancel: boolean }[] = [];
  readonly events: UpdateEvent[] = [];
  mostAtOnce = 0;
  #atOnce = 0;

  readonly api = {
    read: (): Promise<ReadingResult> => {
      this.reads.push(this.#sinceStartMs());
      const { reading } = this;
      return this.#answer(typeof reading === 'string' ? { ok: false, problem: reading } : { ok: true, reading });
    },
    update: (how: { force: boolean; cancel: boolean }): Promise<UpdateResult> => {
      this.updates.push({ atMs: this.#sinceStartMs(), ...how });
      return this.#answer(this.updateResult);
    },
  };
  readonly lock = { isHeld: () => this.isHeld, isSupervisors: () => this.isSupervisors, holders: () => ['app'] };
  readonly emit = (event: UpdateEvent): void => { this.events.push(event); };

  watch(pollMs = 30_000, waitsSinceMs: number | null = null): ReleaseWatch {
    const { api, emit } = this;
    const watch = new ReleaseWatch({ api, clock: CLOCK, random: () => 0, pollMs, isHeld: () => this.isHeld, emit });
    watch.resume(waitsSinceMs);
    return watch;
  }

  /** What has become of the requests. */
  get results(): string[] {
    return this.events.flatMap((event) => (event.type === 'update-requested' ? [`${event.kind} ${event.result}`] : []));
  }

  get turns(): (string | null)[] {
    return this.events.flatMap((event) => (event.type === 'update-changed' ? [event.turn === null ? null : event.turn.waits ? 'waits' : 'over'] : []));
  }

  async #answer<R>(result: R): Promise<R> {
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    if (this.takesMs > 0) await new Promise((resolve) => setTimeout(resolve, this.takesMs));
    this.#atOnce -= 1;
    return result;
  }

  #sinceStartMs(): number {
    return Date.now() - this.startedAtMs;
  }
}

/** Lets fake time go by, with all that is due in it. */
export const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
