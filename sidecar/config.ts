import { dirname, resolve } from 'node:path';
import { from } from 'env-var';
import type { Schedule } from './holders/windows/calendar';
import { parseFreezes } from './holders/windows/freezes';
import { describeMistakes, type Parsed } from './holders/windows/list-reader';
import { parseTimeZone } from './holders/windows/time-zone';
import { ALWAYS, parseWindows } from './holders/windows/weekly-windows';
import { DURATION_FORMS, formatDuration, parseDuration } from './leases/duration';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Every setting, parsed: nothing else reads the environment. Lengths of time are in milliseconds. */
export interface Config {
  readonly lockDirectory: string;
  readonly legacyLockPath: string | null;
  /** Whether a Supervisor has said where it looks for the lock: otherwise nobody reads it. */
  readonly isOnDevice: boolean;
  readonly host: string;
  /** Null for no TCP listener. */
  readonly port: number | null;
  /** Null for no Unix socket. */
  readonly socketPath: string | null;
  readonly isSocketRequired: boolean;
  readonly socketMode: number;
  readonly defaultTtlMs: number;
  readonly maxTtlMs: number;
  readonly maxLeases: number;
  readonly holdOnStartMs: number;
  readonly restartGraceMs: number;
  readonly lostCooldownMs: number;
  readonly releaseOnStop: boolean;
  /** When updates are allowed; null for always. */
  readonly schedule: Schedule | null;
  readonly apiToken: string | null;
  readonly adminToken: string | null;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'pretty';
  /** What looks like a setting of ours and is none: a mistake that has no effect but surprise. */
  readonly unknownVariables: readonly string[];
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  /** One line a wrong setting: the variable, its value (never a token's) and what is allowed, or what is at each place where it is wrong. */
  | { readonly ok: false; readonly mistakes: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/** No lease is shorter than this, in milliseconds. */
export const MIN_TTL_MS = 1000;

/** A year: longer is a mistake, and a lock that never ends is no lease. */
const MAX_DURATION_MS = 365 * 86_400_000;

/** More leases than a person could ever have meant. */
const MAX_COUNT = 1_000_000;

const DEFAULT_SOCKET = '/run/update-lock/update-lock.sock';

/** What `sun_path` holds, without the zero at its end. */
const SOCKET_PATH_MAX_BYTES = 107;

/** Variables of the client, which a container may well share with the sidecar. */
const CLIENT_VARIABLES = ['UPDATE_LOCK_URL', 'UPDATE_LOCK_TOKEN', 'UPDATE_LOCK_HELD', 'UPDATE_LOCK_NAME'];

/** Reads every setting and reports all mistakes at once. An empty variable counts as unset, an empty token as a mistake. */
export function readConfig(environment: Environment, isTerminal: boolean): ConfigResult {
  const reader = new SettingsReader(environment);
  const lockPath = [environment['BALENA_APP_LOCK_PATH'], environment['RESIN_APP_LOCK_PATH']].find((path = '') => path !== '') ?? '';
  const config: Config = {
    lockDirectory: reader.read('UPDATE_LOCK_DIR', (v) => v.asPath(), lockPath === '' ? '/tmp/balena' : dirname(resolve(lockPath))),
    legacyLockPath: reader.read('UPDATE_LOCK_LEGACY_PATH', (v) => v.asPath(), null),
    isOnDevice: lockPath !== '',
    host: reader.read('UPDATE_LOCK_HOST', (v) => v.asHost(), '0.0.0.0'),
    port: reader.readUnlessOff('UPDATE_LOCK_PORT', (v) => v.asPort(), 8080),
    socketPath: reader.readUnlessOff('UPDATE_LOCK_SOCKET', (v) => v.asSocketPath(), DEFAULT_SOCKET),
    isSocketRequired: reader.isSet('UPDATE_LOCK_SOCKET'),
    socketMode: reader.read('UPDATE_LOCK_SOCKET_MODE', (v) => v.asPermissionBits(), 0o666),
    defaultTtlMs: reader.read('UPDATE_LOCK_DEFAULT_TTL', (v) => v.asTimeToLive(), 5 * 60_000),
    maxTtlMs: reader.read('UPDATE_LOCK_MAX_TTL', (v) => v.asTimeToLive(), 24 * 3_600_000),
    maxLeases: reader.read('UPDATE_LOCK_MAX_LEASES', (v) => v.asCount(), 256),
    holdOnStartMs: reader.read('UPDATE_LOCK_HOLD_ON_START', (v) => v.asDuration(), 0),
    restartGraceMs: reader.read('UPDATE_LOCK_RESTART_GRACE', (v) => v.asDuration(), 30_000),
    lostCooldownMs: reader.read('UPDATE_LOCK_LOST_COOLDOWN', (v) => v.asDuration(), 15_000),
    releaseOnStop: reader.read('UPDATE_LOCK_ON_STOP', (v) => v.asEnum(['keep', 'release']), 'keep') === 'release',
    schedule: readSchedule(reader),
    apiToken: reader.readToken('UPDATE_LOCK_API_TOKEN'),
    adminToken: reader.readToken('UPDATE_LOCK_ADMIN_TOKEN'),
    logLevel: reader.read('UPDATE_LOCK_LOG_LEVEL', (v) => v.asEnum(LOG_LEVELS), 'info'),
    logFormat: reader.read('UPDATE_LOCK_LOG_FORMAT', (v) => v.asEnum(['json', 'pretty']), isTerminal ? 'pretty' : 'json'),
    unknownVariables: Object.keys(environment).filter(
      (name) => name.startsWith('UPDATE_LOCK_') && !reader.names.has(name) && !CLIENT_VARIABLES.includes(name),
    ),
  };
  const mistakes = [...reader.mistakes, ...contradictions(config, reader)];
  return mistakes.length === 0 ? { ok: true, config } : { ok: false, mistakes };
}

/** A freeze without windows interrupts what is allowed at all other times. `TZ` can be wrong only where it counts. */
function readSchedule(reader: SettingsReader): Schedule | null {
  const isAlwaysAllowed = !reader.isSet('UPDATE_LOCK_WINDOWS') && !reader.isSet('UPDATE_LOCK_FREEZE');
  const needsTz = !isAlwaysAllowed && !reader.isSet('UPDATE_LOCK_TIMEZONE');
  const schedule = {
    windows: reader.read('UPDATE_LOCK_WINDOWS', (v) => v.asWindows(), ALWAYS),
    freezes: reader.read('UPDATE_LOCK_FREEZE', (v) => v.asFreezes(), []),
    timeZone: reader.read('UPDATE_LOCK_TIMEZONE', (v) => v.asTimeZone(), needsTz ? reader.read('TZ', (v) => v.asTimeZone(), 'UTC') : 'UTC'),
  };
  return isAlwaysAllowed ? null : schedule;
}

function contradictions(config: Config, reader: SettingsReader): string[] {
  /** One that is wrong itself stands at its default here, which contradicts nobody. */
  const areRight = (...names: string[]): boolean => !names.some((name) => reader.wrongNames.has(name));
  const found: string[] = [];
  if (areRight('UPDATE_LOCK_DEFAULT_TTL', 'UPDATE_LOCK_MAX_TTL') && config.defaultTtlMs > config.maxTtlMs) {
    found.push(
      `UPDATE_LOCK_DEFAULT_TTL: ${formatDuration(config.defaultTtlMs)} is more than UPDATE_LOCK_MAX_TTL, ` +
        `which is ${formatDuration(config.maxTtlMs)}`,
    );
  }
  if (config.port === null && config.socketPath === null) {
    found.push('UPDATE_LOCK_PORT and UPDATE_LOCK_SOCKET are both off: at least one is needed to be asked for the lock');
  }
  const { legacyLockPath, lockDirectory } = config;
  if (areRight('UPDATE_LOCK_DIR') && legacyLockPath !== null && dirname(legacyLockPath) === lockDirectory) {
    found.push(
      `UPDATE_LOCK_LEGACY_PATH: ${JSON.stringify(legacyLockPath)} is in the lock directory; a path in another directory is allowed`,
    );
  }
  return found;
}

class SettingsReader {
  readonly mistakes: string[] = [];
  readonly names = new Set<string>();
  readonly wrongNames = new Set<string>();
  readonly #variables: ReturnType<typeof openEnvironment>;

  constructor(private readonly environment: Environment) {
    this.#variables = openEnvironment(environment);
  }

  isSet(name: string): boolean {
    return (this.environment[name] ?? '') !== '';
  }

  /** The setting, or its default if it is not set; also if it is wrong, which is remembered as a mistake. */
  read<T, D>(name: string, get: (variable: Variable) => T | undefined, defaultValue: D): T | D {
    this.names.add(name);
    if (!this.isSet(name)) return defaultValue;
    try {
      return get(this.#variables.get(name)) ?? defaultValue;
    } catch (error) {
      const allowed = messageOf(error).replace(/^env-var: "[^"]*" /, '');
      this.wrongNames.add(name);
      this.mistakes.push(`${name}: ${JSON.stringify(this.environment[name])} ${allowed}`);
      return defaultValue;
    }
  }

  /** The same for what can be turned off, which is null. */
  readUnlessOff<T, D>(name: string, get: (variable: Variable) => T | 'off' | undefined, defaultValue: D): T | D | null {
    const value = this.read(name, get, defaultValue);
    return value === 'off' ? null : value;
  }

  /** A token's value is never repeated, and an empty one would leave a door open that somebody meant to lock. */
  readToken(name: string): string | null {
    this.names.add(name);
    const token = this.environment[name];
    if (token === undefined) return null;
    if (!/^[\x21-\x7e]{1,512}$/.test(token)) {
      const wrong = token === '' ? 'is empty' : 'is not a token';
      this.mistakes.push(`${name}: its value ${wrong}; 1 to 512 visible ASCII characters, no spaces, are allowed`);
    }
    return token;
  }
}

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
  asWindows: (value: string) => valueOf(parseWindows(value), 'windows like "Mon-Fri 22:00-06:00; Sat,Sun 00:00-24:00"'),
  asFreezes: (value: string) => valueOf(parseFreezes(value), 'freezes like "2026-12-20..2027-01-04; 2027-11-26"'),
  asTimeZone: (value: string): string => {
    // The colon is POSIX's, in front of a name in TZ that is one of a list.
    const zone = parseTimeZone(value.trim().replace(/^:/, ''));
    if (zone === null) throw new Error('is not a time zone; a name of the IANA list, like Europe/London, or UTC, is allowed');
    return zone;
  },
};

function valueOf<T>(parsed: Parsed<T>, allowed: string): T {
  if (!parsed.ok) throw new Error(`${describeMistakes(parsed.mistakes)}; ${allowed} are allowed`);
  return parsed.value;
}

function openEnvironment(environment: Environment) {
  return from(environment, accessors);
}

type Variable = ReturnType<ReturnType<typeof openEnvironment>['get']>;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
