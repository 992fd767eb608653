import type { Clock } from '../../server/clock';
import { printable } from '../../server/text';
import type { SidecarEvent, UpdateEvent } from '../events/event';
import type { Waiting } from '../leases/waiting';
import { readRebootJournal } from './reboot-journal';
import { afterJournal, NO_REBOOT, type RebootStatus } from './reboot-status';
import type { SupervisorApi } from './supervisor-api';

/** How often at most the journal is read while only leases of the sidecar's own are live: days on end, mostly. Milliseconds. */
const POLL_WITHOUT_APPS_MS = 600_000;

/** How often it is read while somebody waits for an update, in milliseconds. Each time starts a process on the device. */
const POLL_WHILE_ATTENDED_MS = 10_000;

/** A lock that is held for less than this costs no reading. After the release a reboot comes within this time. Milliseconds. */
const FIRST_LOOK_AFTER_MS = 10_000;

/** The longest time between two attempts where the journal cannot be read, in milliseconds. */
const MAX_BACK_OFF_MS = 3_600_000;

export interface RebootWatchOptions {
  readonly api: Pick<SupervisorApi, 'readJournal'>;
  readonly clock: Clock;
  /** How often the journal is read while the lock is held; null for never. */
  readonly pollMs: number | null;
  /** Whether a path of the host is that of our lock. */
  readonly isOurs: (path: string) => boolean;
  readonly emit: (event: UpdateEvent) => void;
}

/**
 * Reads in the host's journal whether a reboot of the host OS waits for our lock, which nothing else tells: at intervals while the
 * lock is held, or a client waits for an update. One request at a time.
 */
export class RebootWatch {
  #status: RebootStatus = NO_REBOOT;
  #leases = 0;
  #leasesOfApps = 0;
  #attendants = 0;
  #failures = 0;
  #problem: string | null = null;
  /** When the journal was read last, and when the lock was last taken or given back. */
  #readAtMs = -Infinity;
  #turnedAtMs = -Infinity;
  #isReading = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #timerIntervalMs: number | null = null;

  constructor(private readonly options: RebootWatchOptions) {}

  get waiting(): Waiting[] {
    const { waitsSinceMs } = this.#status;
    return waitsSinceMs === null ? [] : [{ what: 'reboot', sinceMs: waitsSinceMs }];
  }

  /** Whether the host OS reboots, or is to once another service has given back its lock. */
  get isNear(): boolean {
    return this.#status.isUnderWay || this.#status.elsewhere !== null;
  }

  /** What waits elsewhere, in words; null if nothing does. */
  get detail(): string | null {
    const { elsewhere } = this.#status;
    return elsewhere === null ? null : `A reboot of the host OS waits for the lock of another service: ${printable(elsewhere)}.`;
  }

  /** Continues with a reboot that has waited since then, as a former process knew. */
  resume(waitsSinceMs: number | null): void {
    if (waitsSinceMs === null || this.#readAtMs !== -Infinity) return;
    this.#status = { ...this.#status, waitsSinceMs };
    this.#schedule();
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'lease-acquired') this.#count(event.lease.kind === 'builtin', 1);
    if (event.type === 'lease-ended') this.#count(event.lease.kind === 'builtin', -1);
  }

  /** Keeps reading, even while the lock is free, until the returned function is called. */
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

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #count(isOwn: boolean, change: 1 | -1): void {
    const wasHeld = this.#leases > 0;
    this.#leases += change;
    if (!isOwn) this.#leasesOfApps += change;
    if (wasHeld !== this.#leases > 0) this.#turnedAtMs = this.options.clock.monotonicMs();
    // Most leases come and go beside others.
    if (wasHeld !== this.#leases > 0 || this.#intervalMs() !== this.#timerIntervalMs) this.#schedule();
  }

  /** The time between two readings as things are, null for none. */
  #intervalMs(): number | null {
    const { pollMs } = this.options;
    if (pollMs === null || this.#isClosed) return null;
    if (this.#attendants > 0) return POLL_WHILE_ATTENDED_MS;
    // While the lock is free a reboot that waited is known to wait until the journal says otherwise.
    if (this.#leases === 0) return this.#status === NO_REBOOT ? null : pollMs;
    return this.#leasesOfApps > 0 ? pollMs : Math.max(pollMs, POLL_WITHOUT_APPS_MS);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const intervalMs = this.#intervalMs();
    this.#timerIntervalMs = intervalMs;
    if (intervalMs === null || this.#isReading) return;
    const backOffMs = Math.max(intervalMs, Math.min(intervalMs * 2 ** this.#failures, MAX_BACK_OFF_MS));
    const firstAtMs = this.#attendants > 0 ? -Infinity : this.#turnedAtMs + Math.min(FIRST_LOOK_AFTER_MS, intervalMs);
    const mayHaveEnded = this.#status !== NO_REBOOT && this.#readAtMs < this.#turnedAtMs;
    const nextAtMs = mayHaveEnded ? firstAtMs : Math.max(firstAtMs, this.#readAtMs + backOffMs);
    this.#timer = setTimeout(() => void this.#read(), Math.max(0, nextAtMs - this.options.clock.monotonicMs())).unref();
  }

  async #read(): Promise<void> {
    const { api, clock, isOurs } = this.options;
    this.#isReading = true;
    this.#readAtMs = clock.monotonicMs();
    const result = await api.readJournal();
    this.#isReading = false;
    if (this.#isClosed) return;
    const says = result.ok ? readRebootJournal(result.text) : null;
    if (says !== null) this.#become(afterJournal(this.#status, says, { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }, isOurs));
    this.#tell(says !== null ? null : result.ok ? 'its answer is not a line of the journal' : result.problem);
    this.#schedule();
  }

  #become(status: RebootStatus): void {
    const was = this.#status;
    this.#status = status;
    const waits = status.waitsSinceMs !== null;
    const hasTurned = waits !== (was.waitsSinceMs !== null);
    if (hasTurned) this.options.emit({ type: 'update-changed', turn: { what: 'reboot', waits } });
    else if (status.elsewhere !== was.elsewhere || status.isUnderWay !== was.isUnderWay) this.options.emit({ type: 'update-changed', turn: null });
  }

  /** Says it once if reading begins to fail, and if it works again. */
  #tell(problem: string | null): void {
    const hadProblem = this.#problem !== null;
    this.#failures = problem === null ? 0 : this.#failures + 1;
    this.#problem = problem;
    if (problem !== null && !hadProblem) this.options.emit({ type: 'journal-missed', problem });
    if (problem === null && hadProblem) this.options.emit({ type: 'journal-reached' });
  }
}
