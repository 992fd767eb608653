import { Calendar } from './calendar';
import type { TimeSettings } from './time-settings';
import { ALWAYS } from './weekly-windows';

/** What keeps a window closed: nothing opens by itself, the clock is not set, the day is frozen, or it is not the time. */
export type ClosedBy = 'never' | 'clock' | 'freeze' | 'time';

/** When updates are allowed, as things are now. Instants are milliseconds of the Unix epoch. */
export interface WindowStatus {
  readonly isOpen: boolean;
  /** Null while it is open. */
  readonly closedBy: ClosedBy | null;
  /** The next opening; null while it is open, or if there is none, or if it cannot be known. */
  readonly opensAtWallMs: number | null;
  /** The next closing; null if there is none, or if it cannot be known. */
  readonly closesAtWallMs: number | null;
  /** Whether the next boot of the device opens it. */
  readonly opensAtBoot: boolean;
  /** In how many milliseconds it opens or closes next; null if it does not, or if it cannot be known. */
  readonly changesInMs: number | null;
  readonly isFrozen: boolean;
  readonly timeZone: string;
}

/** What the clocks read, in milliseconds. */
export interface Reading {
  readonly wallMs: number;
  /** Since the device has booted. */
  readonly monotonicMs: number;
  /** Whether the wall clock may have been set. */
  readonly isClockSet: boolean;
}

/** When updates are allowed by windows, by freezes, and by the time since the device has booted. It has no clock. */
export class AllowedTimes {
  readonly #calendar: Calendar;
  /** Open exactly on the days that are not frozen. */
  readonly #unfrozen: Calendar;
  readonly #openAfterBootMs: number;
  readonly #isNever: boolean;

  constructor({ windows, freezes, timeZone }: TimeSettings) {
    const weekly = windows?.filter((window) => 'days' in window) ?? ALWAYS;
    this.#calendar = new Calendar({ windows: weekly, freezes: freezes ?? [], timeZone });
    this.#unfrozen = new Calendar({ windows: ALWAYS, freezes: freezes ?? [], timeZone });
    this.#openAfterBootMs = Math.max(0, ...(windows ?? []).map((window) => ('afterBootMs' in window ? window.afterBootMs : 0)));
    this.#isNever = windows?.length === 0;
  }

  at({ wallMs, monotonicMs, isClockSet }: Reading): WindowStatus {
    const bootLeftMs = Math.max(0, this.#openAfterBootMs - monotonicMs);
    const { timeZone } = this.#calendar;
    const opensAtBoot = this.#openAfterBootMs > 0;
    if (!isClockSet) {
      const isOpen = bootLeftMs > 0;
      const [closedBy, changesInMs] = isOpen ? [null, bootLeftMs] : [this.#isNever ? ('never' as const) : ('clock' as const), null];
      return { isOpen, closedBy, opensAtWallMs: null, closesAtWallMs: null, opensAtBoot, changesInMs, isFrozen: false, timeZone };
    }
    const bootEndMs = Math.ceil(wallMs + bootLeftMs);
    const isOpen = this.#isOpen(wallMs, bootEndMs);
    const isFrozen = this.#calendar.isFrozen(wallMs);
    const nextMs = this.#nextChange(wallMs, bootEndMs);
    return {
      isOpen,
      closedBy: isOpen ? null : this.#isNever ? 'never' : isFrozen ? 'freeze' : 'time',
      opensAtWallMs: isOpen ? null : nextMs,
      closesAtWallMs: isOpen || nextMs === null ? nextMs : this.#nextChange(nextMs, bootEndMs),
      opensAtBoot,
      changesInMs: nextMs === null ? null : nextMs - wallMs,
      isFrozen,
      timeZone,
    };
  }

  #isOpen(instantMs: number, bootEndMs: number): boolean {
    return this.#calendar.isOpen(instantMs) || (instantMs < bootEndMs && this.#unfrozen.isOpen(instantMs));
  }

  /** When it closes if it is open then, or opens if it is not; null if it never does. */
  #nextChange(fromMs: number, bootEndMs: number): number | null {
    const isOpen = this.#isOpen(fromMs, bootEndMs);
    let atMs = fromMs;
    while (atMs < bootEndMs) {
      atMs = Math.min(bootEndMs, this.#calendar.nextChange(atMs) ?? Infinity, this.#unfrozen.nextChange(atMs) ?? Infinity);
      if (this.#isOpen(atMs, bootEndMs) !== isOpen) return atMs;
    }
    return this.#calendar.nextChange(atMs);
  }
}
