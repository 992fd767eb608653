import type { ControlTagEvent } from '../events/event';
import type { DeviceTag, SupervisorApi } from './supervisor-api';

/** The time after the first attempt that fails, in milliseconds; it doubles with each, up to the interval. */
const FIRST_RETRY_MS = 10_000;

/** How often a Supervisor that knows no tags is asked, in milliseconds: it may be updated. */
const UNKNOWN_RETRY_MS = 86_400_000;

/** The part of the interval by which a request may be early, at random: many devices must not ask in step. */
const JITTER = 0.1;

export interface TagReaderOptions {
  readonly api: Pick<SupervisorApi, 'readTags'>;
  readonly pollMs: number;
  /** From 0 to 1, as `Math.random` gives it. */
  readonly random: () => number;
  readonly onTags: (tags: readonly DeviceTag[]) => void;
  readonly emit: (event: ControlTagEvent) => void;
}

/** Reads the tags of the device at intervals, from now on. One request at a time, each of which the Supervisor passes on to the cloud. */
export class TagReader {
  #failures = 0;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: TagReaderOptions) {
    void this.#read();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #read(): Promise<void> {
    const { api, pollMs, random, onTags, emit } = this.options;
    const result = await api.readTags();
    if (this.#isClosed) return;
    if (result.ok) {
      if (this.#failures > 0) emit({ type: 'control-tags-reached' });
      this.#failures = 0;
      onTags(result.tags);
    } else {
      if (this.#failures === 0) emit({ type: 'control-tags-missed', problem: result.problem });
      this.#failures += 1;
    }
    const retryMs = Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), pollMs);
    const delayMs = result.ok ? pollMs : result.isUnknown ? Math.max(UNKNOWN_RETRY_MS, pollMs) : retryMs;
    this.#timer = setTimeout(() => void this.#read(), delayMs * (1 - JITTER * random())).unref();
  }
}
