const UTC = 'UTC';

/**
 * The zone's name as its list has it, or as it was written if that is another name for it; null if there is no such zone.
 * Accepts what `Intl` does: any name of the IANA list, in any case of letters.
 */
export function parseTimeZone(name: string): string | null {
  if (name.toUpperCase() === UTC) return UTC;
  try {
    const listed = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
    return listed.toLowerCase() === name.toLowerCase() ? listed : name;
  } catch {
    return null;
  }
}

/** How far the wall clock of a zone is ahead of UTC, at any instant. */
export class TimeZone {
  #format: Intl.DateTimeFormat | undefined;

  /** A name that {@link parseTimeZone} has accepted. */
  constructor(readonly name: string) {}

  /** In milliseconds, negative to the west. */
  offsetMs(instantMs: number): number {
    if (this.name === UTC) return 0;
    // Half a millisecond and 128 KiB: made when it is needed, and once.
    this.#format ??= new Intl.DateTimeFormat('en-US', { timeZone: this.name, hour: 'numeric', timeZoneName: 'longOffset' });
    const text = this.#format.format(instantMs);
    const [, sign, hours, minutes, seconds = '0'] = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text) ?? [];
    if (sign === undefined) return 0;
    const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -ms : ms;
  }

  /** What the wall clock reads: `2026-11-26` and `10:02`, and the zone as people there write it: `GMT`, `CET`, `GMT-3`. */
  read(instantMs: number): { readonly date: string; readonly time: string; readonly zone: string } {
    const local = new Date(instantMs + this.offsetMs(instantMs)).toISOString();
    return { date: local.slice(0, 10), time: local.slice(11, 16), zone: this.#abbreviation(instantMs) };
  }

  #abbreviation(instantMs: number): string {
    if (this.name === UTC) return UTC;
    const parts = new Intl.DateTimeFormat('en-GB', { timeZone: this.name, timeZoneName: 'short' }).formatToParts(instantMs);
    return parts.find(({ type }) => type === 'timeZoneName')?.value ?? this.name;
  }

  /**
   * Until when the offset of an instant lasts, looking no further than to another instant, by bisection: the two may
   * only be so far apart that the offset changes at most once in between. It changes at whole seconds.
   */
  sameOffsetUntil(fromMs: number, untilMs: number): number {
    const offsetMs = this.offsetMs(fromMs);
    if (this.offsetMs(untilMs) === offsetMs) return untilMs;
    let same = Math.floor(fromMs / 1000);
    let other = Math.ceil(untilMs / 1000);
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2);
      if (this.offsetMs(middle * 1000) === offsetMs) same = middle;
      else other = middle;
    }
    return other * 1000;
  }
}
