import type { Clock } from '../../server/clock';
import type { LockState, UpdateRequests } from './update-requests';
import { releaseWaits } from './release-status';
import type { ReleaseWatch } from './release-watch';

/** Releases that follow each other more quickly cost one request together, in milliseconds. */
const APART_MS = 1000;

/** The same where nothing tells whether a release waits: each request makes the device ask the cloud. Milliseconds. */
const APART_IN_THE_DARK_MS = 10_000;

/** When to try again if the Supervisor does not answer, in milliseconds. */
const BACK_OFF_MS = [1000, 4000, 16_000] as const;

export interface RetryOnReleaseOptions {
  readonly clock: Clock;
  readonly watch: ReleaseWatch;
  readonly requests: UpdateRequests;
  readonly lock: LockState;
}

/**
 * When the lock is given back while an update waits, the Supervisor is asked to try at once: by itself it would, after
 * failures, not look again for up to 15 minutes (balena-supervisor `src/device-state/index.ts`).
 */
export class RetryOnRelease {
  #lastAtMs = -Infinity;
  /** Counts the releases: an attempt for an earlier release does not count for the last one. */
  #release = 0;
  #timer: NodeJS.Timeout | undefined;
  #running = Promise.resolve();

  constructor(private readonly options: RetryOnReleaseOptions) {}

  /** To be called when the last lease has ended, unless the lock was lost: then the Supervisor is at it already. */
  onReleased(): void {
    this.#release += 1;
    const { clock, watch } = this.options;
    const apartMs = watch.status.isSilent ? APART_IN_THE_DARK_MS : APART_MS;
    this.#after(this.#lastAtMs + apartMs - clock.monotonicMs(), 0);
  }

  /** To be called when there is a lease again. */
  onHeld(): void {
    clearTimeout(this.#timer);
  }

  /** Begins nothing new, and lets a running attempt finish. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#running;
  }

  #after(delayMs: number, attempt: number): void {
    clearTimeout(this.#timer);
    const release = this.#release;
    const start = (): void => {
      // One that is under way was begun for a release before this one: the lock may have been held again since.
      this.#running = this.#running.then(() => this.#try(release, attempt));
    };
    if (delayMs <= 0) start();
    else this.#timer = setTimeout(start, delayMs).unref();
  }

  async #try(release: number, attempt: number): Promise<void> {
    const { clock, watch, requests } = this.options;
    const isWanted = (): boolean => release === this.#release && this.#isFree();
    if (!isWanted()) return;
    this.#lastAtMs = clock.monotonicMs();
    const status = await watch.lookAfterRelease();
    if (!(releaseWaits(status) || status.isSilent) || !isWanted()) return;
    // It may be unreachable, and the update known from before.
    const sent = status.supervisor === 'reachable' ? await requests.send('retry', status) : { ok: false };
    const delayMs = BACK_OFF_MS[attempt];
    if (!sent.ok && delayMs !== undefined && isWanted()) this.#after(delayMs, attempt + 1);
  }

  #isFree(): boolean {
    const { lock } = this.options;
    return !lock.isHeld() && !lock.isSupervisors();
  }
}
