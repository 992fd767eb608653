import { dirname, resolve } from 'node:path';
import { parseProbes, type ProbeSettings } from '../holders/probes/probe-settings';
import type { TimeSettings } from '../holders/windows/time-settings';
import type { Environment } from '../../server/settings/forms';
import { readFleet, type FleetConfig } from './fleet-settings';
import { sidecarSettings } from './forms';
import { formatDuration } from '../../server/duration';

export { MIN_TTL_MS } from './forms';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Every setting, parsed: nothing else reads the environment. Lengths of time are in milliseconds. */
export interface Config {
  readonly lockDirectory: string;
  readonly legacyLockPath: string | null;
  /** Whether a Supervisor or Helios has started this container; otherwise nothing reads the lock. */
  readonly isOnDevice: boolean;
  /** Whether the device has Helios and no Supervisor. */
  readonly isHeliosAlone: boolean;
  readonly host: string;
  /** Null for no TCP listener. */
  readonly port: number | null;
  /** Host names that TCP requests may use, beside those that are always allowed. */
  readonly allowedHosts: readonly string[];
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
  /** When updates are allowed. */
  readonly times: TimeSettings;
  readonly probes: readonly ProbeSettings[];
  /** What has to outlive a reboot. */
  readonly stateDirectory: string;
  readonly apiToken: string | null;
  readonly adminToken: string | null;
  /** Null where the Supervisor's API is not given. */
  readonly supervisor: { readonly url: string; readonly apiKey: string; readonly isHeliosAlone: boolean } | null;
  readonly supervisorPollMs: number;
  /** How often the host's journal is read for a reboot that waits; null for never. */
  readonly hostPollMs: number | null;
  /** The device's name when this container was made, and its id; null where they are not given. */
  readonly device: { readonly name: string | null; readonly uuid: string | null };
  /** The names that the device gives to the app and this service; null where they are not given. */
  readonly appId: string | null;
  readonly serviceName: string | null;
  /** How long a release has to wait before it may be applied; 0 for not at all. */
  readonly soakMs: number;
  /** The device tag into which the summary is written, and what the names of control tags begin with; null for neither. */
  readonly tagName: string | null;
  readonly hasReasonsInTag: boolean;
  readonly tagsPollMs: number;
  /** Null where no turns are taken. */
  readonly fleet: FleetConfig | null;
  /** How long an update may wait for apps; null for without end. */
  readonly deadlineMs: number | null;
  readonly deadlineGraceMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'pretty';
  /** Settings that are probably not as they were meant, in words. */
  readonly warnings: readonly string[];
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  /** A line for each mistake: the variable, its value (never a secret) and what is allowed. */
  | { readonly ok: false; readonly mistakes: readonly string[] };

const DEFAULT_SOCKET = '/run/update-lock/update-lock.sock';

/** Variables of the clients, which a container may share with the sidecar. */
const CLIENT_VARIABLES = ['UPDATE_LOCK_URL', 'UPDATE_LOCK_TOKEN', 'UPDATE_LOCK_HELD', 'UPDATE_LOCK_NAME'];

/** Reads every setting and reports all mistakes at once. An empty variable counts as unset, an empty token as a mistake. */
export function readConfig(environment: Environment, isTerminal: boolean): ConfigResult {
  const reader = sidecarSettings(environment);
  const lockPath = [environment['BALENA_APP_LOCK_PATH'], environment['RESIN_APP_LOCK_PATH']].find((path = '') => path !== '') ?? '';
  const tagName = reader.readUnlessOff('UPDATE_LOCK_TAGS', (v) => v.asTagName(), null);
  // Helios sets no path of the lock, but this (helios `helios-state/src/models/device.rs`), as the Supervisor does too.
  const hasAppUuid = (environment['BALENA_APP_UUID'] ?? '') !== '';
  const config: Config = {
    lockDirectory: reader.read('UPDATE_LOCK_DIR', (v) => v.asPath(), lockPath === '' ? '/tmp/balena' : dirname(resolve(lockPath))),
    legacyLockPath: reader.read('UPDATE_LOCK_LEGACY_PATH', (v) => v.asPath(), null),
    isOnDevice: lockPath !== '' || hasAppUuid,
    isHeliosAlone: lockPath === '' && hasAppUuid,
    host: reader.read('UPDATE_LOCK_HOST', (v) => v.asHost(), '0.0.0.0'),
    port: reader.readUnlessOff('UPDATE_LOCK_PORT', (v) => v.asPortOrOff(), 8080),
    allowedHosts: reader.read('UPDATE_LOCK_ALLOWED_HOSTS', (v) => v.asHostNames(), []),
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
    times: readTimes(reader, tagName !== null),
    probes: reader.readParsed('UPDATE_LOCK_PROBES', parseProbes, []),
    stateDirectory: reader.read('UPDATE_LOCK_STATE_DIR', (v) => v.asPath(), '/var/lib/update-lock'),
    apiToken: reader.readToken('UPDATE_LOCK_API_TOKEN'),
    adminToken: reader.readToken('UPDATE_LOCK_ADMIN_TOKEN'),
    supervisor: readSupervisor(reader, lockPath === '' && hasAppUuid),
    supervisorPollMs: reader.read('UPDATE_LOCK_SUPERVISOR_POLL', (v) => v.asPollInterval(), 30_000),
    hostPollMs: reader.readUnlessOff('UPDATE_LOCK_HOST_POLL', (v) => v.asIntervalOrOff(), 120_000),
    device: { name: nonEmpty(environment['BALENA_DEVICE_NAME_AT_INIT']), uuid: nonEmpty(environment['BALENA_DEVICE_UUID']) },
    appId: environment['BALENA_APP_ID'] ?? null,
    serviceName: environment['BALENA_SERVICE_NAME'] ?? null,
    soakMs: reader.read('UPDATE_LOCK_SOAK', (v) => v.asDuration(), 0),
    tagName,
    hasReasonsInTag: reader.read('UPDATE_LOCK_TAGS_REASONS', (v) => v.asEnum(['on', 'off']), 'on') === 'on',
    tagsPollMs: reader.read('UPDATE_LOCK_TAGS_POLL', (v) => v.asPollInterval(), 15 * 60_000),
    fleet: readFleet(reader, environment),
    deadlineMs: reader.readUnlessOff('UPDATE_LOCK_DEADLINE', (v) => v.asDeadline(), null),
    deadlineGraceMs: reader.read('UPDATE_LOCK_DEADLINE_GRACE', (v) => v.asDuration(), 60_000),
    logLevel: reader.read('UPDATE_LOCK_LOG_LEVEL', (v) => v.asEnum(LOG_LEVELS), 'info'),
    logFormat: reader.read('UPDATE_LOCK_LOG_FORMAT', (v) => v.asEnum(['json', 'pretty']), isTerminal ? 'pretty' : 'json'),
    warnings: reader.warnings,
  };
  reader.warnOfUnknown('UPDATE_LOCK_', CLIENT_VARIABLES);
  if (config.deadlineMs !== null && config.supervisor === null) {
    reader.warnings.push("UPDATE_LOCK_DEADLINE has no effect without the Supervisor's API, which tells whether an update waits");
  }
  if (config.tagName !== null && config.supervisor === null) {
    reader.warnings.push("UPDATE_LOCK_TAGS has no effect without the Supervisor's API, which reads and writes device tags");
  }
  if (config.soakMs > 0 && config.supervisor === null) {
    reader.warnings.push("UPDATE_LOCK_SOAK has no effect without the Supervisor's API, which names the release that waits");
  }
  const mistakes = [...reader.mistakes, ...contradictions(config, reader)];
  return mistakes.length === 0 ? { ok: true, config } : { ok: false, mistakes };
}

/** `TZ` is only read, and checked, where it is needed: control tags may bring windows at any time. */
function readTimes(reader: ReturnType<typeof sidecarSettings>, hasTags: boolean): TimeSettings {
  const isNeeded = hasTags || reader.isSet('UPDATE_LOCK_WINDOWS') || reader.isSet('UPDATE_LOCK_FREEZE');
  const needsTz = isNeeded && !reader.isSet('UPDATE_LOCK_TIMEZONE');
  return {
    windows: reader.read('UPDATE_LOCK_WINDOWS', (v) => v.asWindows(), null),
    freezes: reader.read('UPDATE_LOCK_FREEZE', (v) => v.asFreezes(), null),
    timeZone: reader.read('UPDATE_LOCK_TIMEZONE', (v) => v.asTimeZone(), needsTz ? reader.read('TZ', (v) => v.asTimeZone(), 'UTC') : 'UTC'),
  };
}

function nonEmpty(value: string | undefined): string | null {
  return value === undefined || value === '' ? null : value;
}

/** The Supervisor gives both to a service with the label `io.balena.features.supervisor-api`; before 7.22 as `RESIN_...`. */
function readSupervisor(reader: ReturnType<typeof sidecarSettings>, isHeliosAlone: boolean): Config['supervisor'] {
  const prefix = reader.isSet('BALENA_SUPERVISOR_ADDRESS') ? 'BALENA' : 'RESIN';
  const url = reader.read(`${prefix}_SUPERVISOR_ADDRESS`, (v) => v.asHttpUrl(), null);
  if (url === null) return null;
  const keyName = [`${prefix}_SUPERVISOR_API_KEY`, 'BALENA_SUPERVISOR_API_KEY', 'RESIN_SUPERVISOR_API_KEY'].find((name) => reader.isSet(name));
  const apiKey = keyName === undefined ? null : reader.readToken(keyName);
  if (keyName === undefined) {
    reader.warnings.push(`${prefix}_SUPERVISOR_ADDRESS is set without its API key, so the Supervisor is not asked about updates`);
  }
  return apiKey === null ? null : { url, apiKey, isHeliosAlone };
}

function contradictions(config: Config, reader: ReturnType<typeof sidecarSettings>): string[] {
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
  if (areRight('UPDATE_LOCK_API_TOKEN', 'UPDATE_LOCK_ADMIN_TOKEN') && config.apiToken !== null && config.apiToken === config.adminToken) {
    found.push(
      'UPDATE_LOCK_ADMIN_TOKEN: its value is that of UPDATE_LOCK_API_TOKEN, so every client could force an update; another token is allowed',
    );
  }
  const { legacyLockPath, lockDirectory } = config;
  if (areRight('UPDATE_LOCK_DIR') && legacyLockPath !== null && dirname(legacyLockPath) === lockDirectory) {
    found.push(
      `UPDATE_LOCK_LEGACY_PATH: ${JSON.stringify(legacyLockPath)} is in the lock directory; a path in another directory is allowed`,
    );
  }
  return found;
}
