import { setTimeout as sleep } from 'node:timers/promises';
import type { AppLocks } from './locks';
import type { History } from './history';
import type { Attempt } from './one-at-a-time';
import type { Rules } from './rules';

/** A release of the app, as far as an update lock is concerned. */
export interface Release {
  readonly commit: string;
  /** Of its only service. An image of another number has to be downloaded. */
  readonly imageId: number;
}

/** What the cloud wants the device to be. */
export interface Target {
  readonly release: Release;
  /** `BALENA_SUPERVISOR_OVERRIDE_LOCK`, or `RESIN_...`: the dashboard's toggle. */
  readonly overrideLock: boolean;
}

export interface DeviceOptions {
  readonly rules: Rules;
  readonly locks: AppLocks;
  readonly history: History;
  /** The longest back-off: `BALENA_SUPERVISOR_POLL_INTERVAL`. */
  readonly pollIntervalMs: number;
  /** Helios waits for the same time whenever it has failed (helios `helios/src/main.rs`: 30 s). */
  readonly heliosRetryMs: number;
  /** How long containers take to be replaced; until `settle()` if undefined. */
  readonly replacesForMs: number | undefined;
}

/** `backoffIncrement` of balena-supervisor v19.0.5 `src/lib/constants.ts`. */
const BACK_OFF_INCREMENT_MS = 500;

/**
 * What the device is and what it is on the way to: balena-supervisor v19.0.5 `src/device-state/index.ts` `applyTarget`,
 * its loop of steps reduced to download, lock, replace, release; v16.12.0's comes to the same.
 */
export class Device {
  current: Target;
  target: Target;
  failures = 0;
  pending = false;
  failed = false;
  /** Only if this run of the Supervisor has fetched an image: never for a change of variables (`src/compose/composition-steps.ts` `fetch`). */
  downloaded = false;
  /** In percent, while it downloads. */
  downloadProgress: number | null = null;
  /** While the locks are held and containers are being replaced. */
  isReplacing = false;
  /** What the engine says of the container, if it is not `Running`: `Restarting`, where it crashes again and again. */
  status: string | null = null;
  /** Set to keep the next download from ending by itself. */
  holdsDownload = false;
  readonly images = new Set<number>();
  #settle: (() => void) | undefined;
  #finishDownload: (() => void) | undefined;

  constructor(
    release: Release,
    readonly options: DeviceOptions,
  ) {
    this.current = this.target = { release, overrideLock: false };
    this.images.add(release.imageId);
  }

  /** `setTarget` of `src/device-state/target-state.ts`: what failed before is forgotten; what is shown of it is not. */
  setTarget(target: Target): void {
    this.target = target;
    this.failures = 0;
  }

  /** Until it has succeeded or is cancelled. */
  async apply(attempt: Attempt): Promise<void> {
    while (!attempt.cancelled.aborted) {
      // A configuration step comes before those of the app and needs no lock.
      this.current = { ...this.current, overrideLock: this.target.overrideLock };
      if (this.target.release === this.current.release) {
        await this.#succeed();
        return;
      }
      this.pending = true;
      if (!(await this.#download(attempt.cancelled))) return;
      if (await this.#take(attempt.force || this.current.overrideLock)) await this.#replace(attempt.cancelled);
      else if (attempt.isFollowed()) return;
      else await this.#backOff(attempt);
    }
  }

  /** The new containers have started: what waits for it goes on. */
  settle(): void {
    this.#settle?.();
  }

  finishDownload(): void {
    this.holdsDownload = false;
    this.#finishDownload?.();
  }

  async #succeed(): Promise<void> {
    await this.options.locks.release();
    this.failures = 0;
    this.pending = this.failed = this.downloaded = false;
  }

  async #download(cancelled: AbortSignal): Promise<boolean> {
    const { history } = this.options;
    const { imageId } = this.target.release;
    if (this.images.has(imageId)) return true;
    this.downloadProgress = 0;
    await untilDone(cancelled, (done) => {
      this.#finishDownload = done;
      history.add({ kind: 'download', state: 'started' });
      if (!this.holdsDownload) done();
    });
    this.downloadProgress = null;
    history.add({ kind: 'download', state: cancelled.aborted ? 'aborted' : 'finished' });
    if (cancelled.aborted) return false;
    this.images.add(imageId);
    this.downloaded = true;
    return true;
  }

  async #take(force: boolean): Promise<boolean> {
    let result: 'taken' | 'locked' | 'failed';
    try {
      result = (await this.options.locks.take(force)) ? 'taken' : 'locked';
    } catch {
      // Whatever goes wrong is tried again after the same time.
      result = 'failed';
    }
    if (result !== 'taken') {
      this.failures += 1;
      this.failed = true;
    }
    this.options.history.add({ kind: 'attempt', force, result });
    return result === 'taken';
  }

  /** A cancelled one leaves the locks where they are: the next goes on with them. */
  async #replace(cancelled: AbortSignal): Promise<void> {
    const { release } = this.target;
    const { history, replacesForMs } = this.options;
    this.isReplacing = true;
    await untilDone(cancelled, (done) => {
      this.#settle = done;
      history.add({ kind: 'replacing' });
      if (replacesForMs !== undefined) setTimeout(done, replacesForMs).unref();
    });
    this.isReplacing = false;
    if (cancelled.aborted) return;
    this.current = { ...this.current, release };
    // Images that no release needs any more are removed.
    this.images.clear();
    this.images.add(release.imageId);
    if (this.target.release === release) await this.#succeed();
    history.add({ kind: 'applied', commit: release.commit });
  }

  async #backOff(attempt: Attempt): Promise<void> {
    const { rules, pollIntervalMs, heliosRetryMs, history } = this.options;
    const delayMs = rules.isHelios ? heliosRetryMs : Math.min(2 ** this.failures * BACK_OFF_INCREMENT_MS, pollIntervalMs);
    history.add({ kind: 'back-off', delayMs, failures: this.failures });
    attempt.backsOff(true);
    await sleep(delayMs, undefined, { signal: attempt.cancelled }).catch(() => undefined);
    attempt.backsOff(false);
  }
}

/** Until it is called, or cancelled. */
async function untilDone(cancelled: AbortSignal, offer: (done: () => void) => void): Promise<void> {
  if (cancelled.aborted) return;
  await new Promise<void>((resolve) => {
    offer(resolve);
    cancelled.addEventListener('abort', () => { resolve(); }, { once: true });
  });
}
