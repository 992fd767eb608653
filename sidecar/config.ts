import { dirname, resolve } from 'node:path';
import { from } from 'env-var';
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
  readonly apiToken: string | null;
  readonly adminToken: string | null;
  /** Null where the Supervisor's API is not given. */
  readonly supervisor: { readonly url: string; readonly apiKey: string } | null;
  readonly supervisorPollMs: number;
  /** How long an update may wait for apps; null for without end. */
  readonly deadlineMs: number | null;
  readonly deadlineGraceMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'pretty';
  /** What looks like a setting of ours and is none: a mistake that has no effect but surprise. */
  readonly unknownVariables: readonly string[];
  /** What is odd, but no mistake. */
  readonly warnings: readonly string[];
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  /** One line a mistake: the variable, its value (never a token's) and what is allowed. */
  | { readonly ok: false; readonly mistakes: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/** No lease is shorter than this, in milliseconds. */
export const MIN_TTL_MS = 1000;

/** A year: longer is a mistake, and a lock that never ends is no lease. */
const MAX_DURATION_MS = 365 * 86_400_000;

/** How often the Supervisor may be asked, in milliseconds: oftener is a burden on it, more rarely is of no use. */
const MIN_POLL_MS = 100;
const MAX_POLL_MS = 86_400_000;

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
    apiToken: reader.readToken('UPDATE_LOCK_API_TOKEN'),
    adminToken: reader.readToken('UPDATE_LOCK_ADMIN_TOKEN'),
    supervisor: readSupervisor(reader),
    supervisorPollMs: reader.read('UPDATE_LOCK_SUPERVISOR_POLL', (v) => v.asPollInterval(), 30_000),
    deadlineMs: reader.readUnlessOff('UPDATE_LOCK_DEADLINE', (v) => v.asDeadline(), null),
    deadlineGraceMs: reader.read('UPDATE_LOCK_DEADLINE_GRACE', (v) => v.asDuration(), 60_000),
    logLevel: reader.read('UPDATE_LOCK_LOG_LEVEL', (v) => v.asEnum(LOG_LEVELS), 'info'),
    logFormat: reader.read('UPDATE_LOCK_LOG_FORMAT', (v) => v.asEnum(['json', 'pretty']), isTerminal ? 'pretty' : 'json'),
    unknownVariables: Object.keys(environment).filter(
      (name) => name.startsWith('UPDATE_LOCK_') && !reader.names.has(name) && !CLIENT_VARIABLES.includes(name),
    ),
    warnings: reader.warnings,
  };
  const mistakes = [...reader.mistakes, ...contradictions(config, reader)];
  return mistakes.length === 0 ? { ok: true, config } : { ok: false, mistakes };
}

/** The Supervisor gives both to a service with the label `io.balena.features.supervisor-api`; before 7.22 as `RESIN_...`. */
function readSupervisor(reader: SettingsReader): Config['supervisor'] {
  const prefix = reader.isSet('BALENA_SUPERVISOR_ADDRESS') ? 'BALENA' : 'RESIN';
  const url = reader.read(`${prefix}_SUPERVISOR_ADDRESS`, (v) => v.asHttpUrl(), null);
  if (url === null) return null;
  const keyName = [`${prefix}_SUPERVISOR_API_KEY`, 'BALENA_SUPERVISOR_API_KEY'].find((name) => reader.isSet(name));
  const apiKey = keyName === undefined ? null : reader.readToken(keyName);
  if (keyName === undefined) {
    reader.warnings.push(`${prefix}_SUPERVISOR_ADDRESS is set without its API key, so the Supervisor is not asked about updates`);
  }
  return apiKey === null ? null : { url, apiKey };
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
  readonly warnings: string[] = [];
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
};

function openEnvironment(environment: Environment) {
  return from(environment, accessors);
}

type Variable = ReturnType<ReturnType<typeof openEnvironment>['get']>;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
