import { from } from 'env-var';
import { parseTimeZone } from '../../server/time-zone';
import { FORMS, MAX_DURATION_MS, readDuration, type Environment } from '../../server/settings/forms';
import { SettingsReader } from '../../server/settings/settings-reader';
import { parseFreezes } from '../holders/windows/freezes';
import { parseWindows, type ParsedList } from '../holders/windows/weekly-windows';

/** No lease is shorter than this, in milliseconds. */
export const MIN_TTL_MS = 1000;

/** How often the Supervisor may be asked, in milliseconds: more often is a burden on it, less often is of no use. */
const MIN_POLL_MS = 100;
const MAX_POLL_MS = 86_400_000;

/** The forms that only the sidecar's settings have. */
const SIDECAR_FORMS = {
  ...FORMS,
  asTimeToLive: (value: string): number => readDuration(value, 'a time to live', MIN_TTL_MS, MAX_DURATION_MS),
  asPollInterval: (value: string): number => readDuration(value, 'an interval', MIN_POLL_MS, MAX_POLL_MS),
  asDeadline: (value: string): number | 'off' => {
    return value === 'off' ? 'off' : readDuration(value, 'a deadline', MIN_TTL_MS, MAX_DURATION_MS, 'off, or ');
  },
  /** balena keeps the tags that begin with `io.balena` for itself. */
  asTagName: (value: string): string => {
    if (!/^\S{1,64}$/u.test(value) || value.startsWith('io.balena')) {
      throw new Error('is not the name of a tag; off, or up to 64 characters without white space that do not begin with io.balena, are allowed');
    }
    return value;
  },
  asWindows: (value: string) => valueOf(parseWindows(value), 'windows like "Mon-Fri 22:00-06:00; Sat,Sun 00:00-24:00", with days from Mon to Sun,'),
  asFreezes: (value: string) => valueOf(parseFreezes(value), 'freezes like "2026-12-20..2027-01-04; 2027-11-26", of days that exist,'),
  asTimeZone: (value: string): string => {
    // The colon is POSIX's, in front of a name in TZ that is one of a list.
    const zone = parseTimeZone(value.trim().replace(/^:/, ''));
    if (zone === null) throw new Error('is not a time zone; a name of the IANA list, like Europe/London, or UTC, is allowed');
    return zone;
  },
};

function valueOf<T>(parsed: ParsedList<T>, allowed: string): readonly T[] {
  if (parsed.ok) return parsed.value;
  throw new Error(`has ${parsed.wrongItems.map((item) => JSON.stringify(item)).join(', ')} in it; ${allowed} are allowed`);
}

/** Reads the sidecar's settings. */
export function sidecarSettings(environment: Environment): SettingsReader<Variable> {
  const variables = openEnvironment(environment);
  return new SettingsReader(environment, (name) => variables.get(name));
}

function openEnvironment(environment: Environment) {
  return from(environment, SIDECAR_FORMS);
}

export type Variable = ReturnType<ReturnType<typeof openEnvironment>['get']>;
