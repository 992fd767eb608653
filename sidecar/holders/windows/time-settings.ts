import { parseTimeZone } from '../../../server/time-zone';
import { parseFreezes, type DayRange } from './freezes';
import type { ParsedList } from './parse-list';
import { parseWindows, type UpdateWindow } from './update-windows';

/**
 * The settings that say when updates are allowed; null for one that is not set. With freezes and without windows they are allowed at
 * all other times, without either always.
 */
export interface TimeSettings {
  /** Empty for never. */
  readonly windows: readonly UpdateWindow[] | null;
  readonly freezes: readonly DayRange[] | null;
  /** Of the windows, and of times in words. A name that `Intl` knows. */
  readonly timeZone: string;
}

/** A value that was read, or what is wrong with it: the problem goes on from the value. */
export type ReadValue<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export function readWindows(text: string): ReadValue<readonly UpdateWindow[]> {
  return orProblem(parseWindows(text), 'windows like "Mon-Fri 22:00-06:00; Sat,Sun 00:00-24:00; boot+10m", with days from Mon to Sun, or "never" alone,');
}

export function readFreezes(text: string): ReadValue<readonly DayRange[]> {
  return orProblem(parseFreezes(text), 'freezes like "2026-12-20..2027-01-04; 2027-11-26", of days that exist,');
}

export function readTimeZone(text: string): ReadValue<string> {
  // The colon is POSIX's, in front of a name in TZ that is one of a list.
  const zone = parseTimeZone(text.trim().replace(/^:/, ''));
  if (zone !== null) return { ok: true, value: zone };
  return { ok: false, problem: 'is not a time zone; a name of the IANA list, like Europe/London, or UTC, is allowed' };
}

function orProblem<T>(parsed: ParsedList<T>, allowed: string): ReadValue<readonly T[]> {
  if (parsed.ok) return parsed;
  return { ok: false, problem: `has ${parsed.wrongItems.map((item) => JSON.stringify(item)).join(', ')} in it; ${allowed} are allowed` };
}
