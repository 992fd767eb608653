import { DAY_MS, type DayRange } from './freezes';
import { OpenTimes } from './open-times';
import { TimeZone } from '../../../server/time-zone';
import type { WeeklyWindow } from './weekly-windows';

/** When updates are allowed, as it was configured. */
export interface Schedule {
  readonly windows: readonly WeeklyWindow[];
  readonly freezes: readonly DayRange[];
  /** A name that `Intl` knows. */
  readonly timeZone: string;
}

/** A time in which nothing changes; until null if nothing ever does. */
interface Span {
  readonly fromMs: number;
  readonly untilMs: number | null;
}

/** What comes after the year 9999 has no RFC 3339 form, and is never. */
const NEVER_MS = Date.UTC(10_000, 0, 1);

/** More days than all jumps of a zone's wall clock together: a whole one has been skipped at a change of side of the date line. */
const MARGIN_DAYS = 3;

/**
 * When updates are allowed: exactly while the wall clock of the zone reads a time inside a window. An hour that is skipped
 * does not open, and one that repeats opens twice. Instants are milliseconds of the Unix epoch.
 *
 * It depends on nothing but its arguments. It remembers what it has worked out last, so that asking again is cheap.
 */
export class Calendar {
  readonly #times: OpenTimes;
  readonly #zone: TimeZone;
  /** The last two: the present one and the next, when asked for both of their ends in turn. */
  #spans: readonly Span[] = [];

  constructor({ windows, freezes, timeZone }: Schedule) {
    this.#times = new OpenTimes(windows, freezes);
    this.#zone = new TimeZone(timeZone);
  }

  get timeZone(): string {
    return this.#zone.name;
  }

  isOpen(instantMs: number): boolean {
    return this.#times.isOpen(this.#localMs(instantMs));
  }

  /** Whether the day is one of those on which there are no windows. */
  isFrozen(instantMs: number): boolean {
    return this.#times.isFrozen(this.#localMs(instantMs));
  }

  /** The first instant after this one at which it opens; null if it never does. */
  nextOpening(instantMs: number): number | null {
    return this.#next(instantMs, true);
  }

  /** The first instant after this one at which it closes; null if it never does. */
  nextClosing(instantMs: number): number | null {
    return this.#next(instantMs, false);
  }

  #next(instantMs: number, opens: boolean): number | null {
    const changesAtMs = this.nextChange(instantMs);
    // What opens next must be closed, or close first.
    if (changesAtMs === null || this.isOpen(instantMs) !== opens) return changesAtMs;
    return this.nextChange(changesAtMs);
  }

  /** When it closes if it is open at this instant, or opens if it is not; null if it never does. */
  nextChange(fromMs: number): number | null {
    const known = this.#spans.find((span) => span.fromMs <= fromMs && fromMs < (span.untilMs ?? Infinity));
    if (known !== undefined) return known.untilMs;
    const untilMs = this.#findEndOfSpan(fromMs);
    this.#spans = [{ fromMs, untilMs }, ...this.#spans.slice(0, 1)];
    return untilMs;
  }

  #findEndOfSpan(fromMs: number): number | null {
    const isOpen = this.isOpen(fromMs);
    let atMs: number | null = fromMs;
    while (atMs !== null && atMs < NEVER_MS) {
      // Offsets have never changed twice in less than a week, nor are they planned to.
      const untilMs = this.#zone.sameOffsetUntil(atMs, atMs + DAY_MS);
      const offsetMs = this.#zone.offsetMs(atMs);
      const localMs = this.#times.first(!isOpen, atMs + offsetMs, untilMs + offsetMs);
      if (localMs !== null) return localMs - offsetMs < NEVER_MS ? localMs - offsetMs : null;
      atMs = this.#skipAhead(untilMs, isOpen);
    }
    return null;
  }

  /**
   * An instant up to which nothing can change, at or after the given one, or null if nothing ever does: a freeze that lasts
   * for centuries, or windows that never close, are not walked through day by day.
   */
  #skipAhead(instantMs: number, isOpen: boolean): number | null {
    if (this.#times.isNever) return null;
    const localMs = this.#localMs(instantMs);
    const marginMs = MARGIN_DAYS * DAY_MS;
    const freeze = this.#times.freezeFrom(localMs - marginMs);
    const firstMs = (freeze?.firstDay ?? Infinity) * DAY_MS;
    if (isOpen && this.#times.isAlways && localMs < firstMs) {
      return freeze === undefined ? null : Math.max(instantMs, instantMs + (firstMs - localMs) - marginMs);
    }
    if (!isOpen && freeze !== undefined && localMs - marginMs >= firstMs) {
      return Math.max(instantMs, instantMs + (freeze.lastDay * DAY_MS - localMs) - marginMs);
    }
    return instantMs;
  }

  #localMs(instantMs: number): number {
    return instantMs + this.#zone.offsetMs(instantMs);
  }
}
