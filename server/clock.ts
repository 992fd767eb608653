import { readFileSync } from 'node:fs';

/** The two clocks of the machine, injected so that tests can make them jump. */
export interface Clock {
  /** Milliseconds since the machine booted, not counting suspends. Survives a restart of the process, not a reboot. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch, as the wall clock reads now: it may jump by years. */
  wallMs(): number;
}

/** The longest delay of a timer, in milliseconds: with a longer one, Node.js fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  monotonicMs: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
  wallMs: () => Date.now(),
};

/** The id of this boot of the machine: monotonic times of another boot mean nothing. Empty if the kernel does not tell. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** A difference of more than this means that the wall clock was set; less is drift. Milliseconds. */
const JUMP_MS = 1000;

/**
 * Converts monotonic times to wall time, for people. The same instant is shown the same, to the millisecond, until the wall clock is
 * set; then all times move with it, also those from before.
 */
export class Timeline {
  #offsetMs: number;

  constructor(private readonly clock: Clock) {
    this.#offsetMs = clock.wallMs() - clock.monotonicMs();
  }

  /** Wall time minus monotonic time, in milliseconds. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** Continues with the offset of a former process, so that times are shown the same; unless the clock was set meanwhile. */
  resume(offsetMs: number): void {
    if (Math.abs(offsetMs - this.#offsetMs) <= JUMP_MS) this.#offsetMs = offsetMs;
  }

  /** Wall time, in milliseconds since the epoch, of a monotonic instant. */
  toWallMs(monotonicMs: number): number {
    const offsetMs = this.clock.wallMs() - this.clock.monotonicMs();
    if (Math.abs(offsetMs - this.#offsetMs) > JUMP_MS) this.#offsetMs = offsetMs;
    return Math.round(monotonicMs + this.#offsetMs);
  }

  /** RFC 3339 in UTC, with milliseconds. */
  toRfc3339(monotonicMs: number): string {
    return new Date(this.toWallMs(monotonicMs)).toISOString();
  }
}
