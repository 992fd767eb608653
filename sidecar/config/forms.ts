import { from } from 'env-var';
import { FORMS, MAX_DURATION_MS, readDuration, type Environment } from '../../server/settings/forms';
import { SettingsReader } from '../../server/settings/settings-reader';
import { readFreezes, readTimeZone, readWindows, type ReadValue } from '../holders/windows/time-settings';

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
  asIntervalOrOff: (value: string): number | 'off' => {
    return value === 'off' ? 'off' : readDuration(value, 'an interval', MIN_POLL_MS, MAX_POLL_MS, 'off, or ');
  },
  asDurationOrOff: (value: string): number | 'off' => {
    return value === 'off' ? 'off' : readDuration(value, 'a duration', MIN_TTL_MS, MAX_DURATION_MS, 'off, or ');
  },
  asFleetUrl: (value: string): string => {
    const url = URL.canParse(value) ? new URL(value) : null;
    const isWhole = (url?.protocol === 'http:' || url?.protocol === 'https:') && url.search === '' && url.hash === '' && url.username === '';
    if (!isWhole) throw new Error('is not the address of a server; http(s)://HOST, with a port and a path if need be, is allowed');
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  },
  asWebUrl: (value: string): string => {
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw new Error('is not a URL; http:// or https:// is allowed');
    return url.href;
  },
  /** FleetLock's own rule (coreos/zincati `docs/usage/updates-strategy.md`). */
  asFleetGroup: (value: string): string => {
    if (!/^[a-zA-Z0-9.-]{1,64}$/.test(value)) throw new Error('is not a group; up to 64 letters, digits, dots and hyphens are allowed');
    return value;
  },
  asFleetId: (value: string): string => {
    if (!/^[\x21-\x7e]{1,128}$/.test(value)) throw new Error('is not an id; up to 128 visible ASCII characters, no spaces, are allowed');
    return value;
  },
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
  asWindows: (value: string) => valueOf(readWindows(value)),
  asFreezes: (value: string) => valueOf(readFreezes(value)),
  asTimeZone: (value: string) => valueOf(readTimeZone(value)),
};

function valueOf<T>(read: ReadValue<T>): T {
  if (read.ok) return read.value;
  throw new Error(read.problem);
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
