import { resolve } from 'node:path';
import { from } from 'env-var';
import { parseFreezes } from '../holders/windows/freezes';
import { parseTimeZone } from '../holders/windows/time-zone';
import { parseWindows, type ParsedList } from '../holders/windows/weekly-windows';
import { DURATION_FORMS, formatDuration, parseDuration } from '../leases/duration';

export type Environment = Readonly<Record<string, string | undefined>>;

/** No lease is shorter than this, in milliseconds. */
export const MIN_TTL_MS = 1000;

/** A year: longer is a mistake, and a lock that never ends is no lease. */
const MAX_DURATION_MS = 365 * 86_400_000;

/** How often the Supervisor may be asked, in milliseconds: oftener is a burden on it, more rarely is of no use. */
const MIN_POLL_MS = 100;
const MAX_POLL_MS = 86_400_000;

/** More leases than a person could ever have meant. */
const MAX_COUNT = 1_000_000;

/** What `sun_path` holds, without the zero at its end. */
const SOCKET_PATH_MAX_BYTES = 107;

/** One name of those that a request may ask for: `device.example.com`, `*.example.com` or `*`. */
const HOST_NAMES = /^(?:\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?)$/;

/** How values are read: each returns what the text means, or throws what is allowed. */
const accessors = {
  asDuration: (value: string): number => {
    const ms = parseDuration(value);
    if (ms === null || ms > MAX_DURATION_MS) {
      throw new Error(`is not a duration of at most ${formatDuration(MAX_DURATION_MS)}; ${DURATION_FORMS} are allowed`);
    }
    return ms;
  },
  asTimeToLive: (value: string): number => {
    const ms = parseDuration(value);
    if (ms === null || ms < MIN_TTL_MS || ms > MAX_DURATION_MS) {
      throw new Error(`is not a time to live; a duration from 1s to ${formatDuration(MAX_DURATION_MS)} is allowed: ${DURATION_FORMS}`);
    }
    return ms;
  },
  asPollInterval: (value: string): number => {
    const ms = parseDuration(value);
    if (ms === null || ms < MIN_POLL_MS || ms > MAX_POLL_MS) {
      throw new Error(`is not an interval; a duration from ${formatDuration(MIN_POLL_MS)} to ${formatDuration(MAX_POLL_MS)} is allowed: ${DURATION_FORMS}`);
    }
    return ms;
  },
  asDeadline: (value: string): number | 'off' => {
    if (value === 'off') return 'off';
    const ms = parseDuration(value);
    if (ms === null || ms < MIN_TTL_MS || ms > MAX_DURATION_MS) {
      throw new Error(`is not a deadline; off, or a duration from 1s to ${formatDuration(MAX_DURATION_MS)}, is allowed: ${DURATION_FORMS}`);
    }
    return ms;
  },
  asHttpUrl: (value: string): string => {
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url?.protocol !== 'http:') throw new Error('is not an address; http://HOST:PORT is allowed');
    return url.origin;
  },
  asPort: (value: string): number | 'off' => {
    if (value === 'off') return 'off';
    const port = Number(value);
    if (!/^\d+$/.test(value) || port > 65_535) throw new Error('is not a port; 0 to 65535, or off, are allowed');
    return port;
  },
  asHost: (value: string): string => {
    if (!/^[A-Za-z0-9.:_-]+$/.test(value)) throw new Error('is not a host; an address or a host name is allowed');
    return value;
  },
  asHostNames: (value: string): readonly string[] => {
    const names = value.split(',').map((name) => name.trim().toLowerCase());
    const wrong = names.filter((name) => !HOST_NAMES.test(name));
    if (wrong.length === 0) return names;
    const which = wrong.map((name) => JSON.stringify(name)).join(', ');
    throw new Error(`has ${which} in it; host names without a port, separated by commas, "*.NAME" for all below one, or "*" for any, are allowed`);
  },
  asPath: (value: string): string => {
    if (value.includes('\0')) throw new Error('is not a path');
    return resolve(value);
  },
  asSocketPath: (value: string): string => {
    if (value === 'off') return 'off';
    if (Buffer.byteLength(resolve(value)) > SOCKET_PATH_MAX_BYTES) {
      throw new Error(`is too long for a socket; a path of up to ${String(SOCKET_PATH_MAX_BYTES)} bytes, or off, is allowed`);
    }
    return resolve(value);
  },
  asPermissionBits: (value: string): number => {
    if (!/^0?[0-7]{3}$/.test(value)) throw new Error('is not a mode; three octal digits like 0666 are allowed');
    return parseInt(value, 8);
  },
  asCount: (value: string): number => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < 1 || number > MAX_COUNT) {
      throw new Error(`is not a number; 1 to ${String(MAX_COUNT)} is allowed`);
    }
    return number;
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

/** The variables of an environment, with these forms to read them in beside env-var's own. */
export function openEnvironment(environment: Environment) {
  return from(environment, accessors);
}

export type Variable = ReturnType<ReturnType<typeof openEnvironment>['get']>;
