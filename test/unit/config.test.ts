import type { Config } from '../../sidecar/config/config';
import { configOf } from './read-config';

const HOUR_MS = 3_600_000;

test('without any variable every setting has the default of the interface', () => {
  expect(configOf({})).toEqual<Config>({
    lockDirectory: '/tmp/balena',
    legacyLockPath: null,
    isOnDevice: false,
    isHeliosAlone: false,
    host: '0.0.0.0',
    port: 8080,
    allowedHosts: [],
    socketPath: '/run/update-lock/update-lock.sock',
    isSocketRequired: false,
    socketMode: 0o666,
    defaultTtlMs: 5 * 60_000,
    maxTtlMs: 24 * HOUR_MS,
    maxLeases: 256,
    holdOnStartMs: 0,
    restartGraceMs: 30_000,
    lostCooldownMs: 15_000,
    releaseOnStop: false,
    times: { windows: null, freezes: null, timeZone: 'UTC' },
    probes: [],
    stateDirectory: '/var/lib/update-lock',
    apiToken: null,
    adminToken: null,
    supervisor: null,
    supervisorPollMs: 30_000,
    hostPollMs: 120_000,
    device: { name: null, uuid: null },
    appId: null,
    serviceName: null,
    tagName: null,
    hasReasonsInTag: true,
    soakMs: 0,
    tagsPollMs: 900_000,
    fleet: null,
    deadlineMs: null,
    deadlineGraceMs: 60_000,
    logLevel: 'info',
    logFormat: 'json',
    warnings: [],
  });
});

test.each<[string, string, Partial<Config>]>([
  ['UPDATE_LOCK_DIR', '/var/lock', { lockDirectory: '/var/lock' }],
  ['UPDATE_LOCK_DIR', '/var//lock/../run/', { lockDirectory: '/var/run' }],
  ['UPDATE_LOCK_STATE_DIR', '/data/state', { stateDirectory: '/data/state' }],
  ['UPDATE_LOCK_LEGACY_PATH', '/data/resin-updates.lock', { legacyLockPath: '/data/resin-updates.lock' }],
  ['UPDATE_LOCK_SUPERVISOR_POLL', '500ms', { supervisorPollMs: 500 }],
  ['UPDATE_LOCK_HOST_POLL', '10m', { hostPollMs: 600_000 }],
  ['UPDATE_LOCK_HOST_POLL', 'off', { hostPollMs: null }],
  ['UPDATE_LOCK_TAGS', 'off', { tagName: null }],
  ['UPDATE_LOCK_SOAK', '3d', { soakMs: 3 * 86_400_000, warnings: [expect.stringMatching(/^UPDATE_LOCK_SOAK has no effect/)] }],
  ['UPDATE_LOCK_TAGS', 'update-lock', { tagName: 'update-lock', warnings: [expect.stringMatching(/^UPDATE_LOCK_TAGS has no effect/)] }],
  ['UPDATE_LOCK_TAGS_POLL', '1h', { tagsPollMs: HOUR_MS }],
  ['UPDATE_LOCK_TAGS_REASONS', 'off', { hasReasonsInTag: false }],
  ['UPDATE_LOCK_DEADLINE', 'off', { deadlineMs: null }],
  ['UPDATE_LOCK_DEADLINE', '7d', { deadlineMs: 7 * 24 * HOUR_MS, warnings: [expect.stringMatching(/^UPDATE_LOCK_DEADLINE has no effect/)] }],
  ['UPDATE_LOCK_DEADLINE_GRACE', '0', { deadlineGraceMs: 0 }],
  ['UPDATE_LOCK_HOST', '127.0.0.1', { host: '127.0.0.1' }],
  ['UPDATE_LOCK_HOST', '::', { host: '::' }],
  ['UPDATE_LOCK_HOST', 'localhost', { host: 'localhost' }],
  ['UPDATE_LOCK_PORT', '80', { port: 80 }],
  ['UPDATE_LOCK_PORT', '0', { port: 0 }],
  ['UPDATE_LOCK_PORT', '65535', { port: 65_535 }],
  ['UPDATE_LOCK_PORT', 'off', { port: null }],
  ['UPDATE_LOCK_ALLOWED_HOSTS', 'Device.Example.com, *.example.org,*', { allowedHosts: ['device.example.com', '*.example.org', '*'] }],
  ['UPDATE_LOCK_SOCKET', '/tmp/u.sock', { socketPath: '/tmp/u.sock', isSocketRequired: true }],
  ['UPDATE_LOCK_SOCKET', 'off', { socketPath: null, isSocketRequired: true }],
  ['UPDATE_LOCK_SOCKET_MODE', '0600', { socketMode: 0o600 }],
  ['UPDATE_LOCK_SOCKET_MODE', '660', { socketMode: 0o660 }],
  ['UPDATE_LOCK_DEFAULT_TTL', '90', { defaultTtlMs: 90_000 }],
  ['UPDATE_LOCK_DEFAULT_TTL', '1s', { defaultTtlMs: 1000 }],
  ['UPDATE_LOCK_MAX_TTL', '365d', { maxTtlMs: 365 * 24 * HOUR_MS }],
  ['UPDATE_LOCK_MAX_LEASES', '1', { maxLeases: 1 }],
  ['UPDATE_LOCK_MAX_LEASES', '1000000', { maxLeases: 1_000_000 }],
  ['UPDATE_LOCK_HOLD_ON_START', '2m', { holdOnStartMs: 120_000 }],
  ['UPDATE_LOCK_RESTART_GRACE', '0', { restartGraceMs: 0 }],
  ['UPDATE_LOCK_LOST_COOLDOWN', '500ms', { lostCooldownMs: 500 }],
  ['UPDATE_LOCK_ON_STOP', 'release', { releaseOnStop: true }],
  ['UPDATE_LOCK_ON_STOP', 'keep', { releaseOnStop: false }],
  ['UPDATE_LOCK_API_TOKEN', 's3cret', { apiToken: 's3cret' }],
  ['UPDATE_LOCK_ADMIN_TOKEN', '!~', { adminToken: '!~' }],
  ['UPDATE_LOCK_LOG_LEVEL', 'debug', { logLevel: 'debug' }],
  ['UPDATE_LOCK_LOG_FORMAT', 'pretty', { logFormat: 'pretty' }],
])('%s=%s changes that setting and no other', (name, value, expected) => {
  expect(configOf({ [name]: value })).toEqual({ ...configOf({}), ...expected });
});

test.each<[Record<string, string>, string, boolean]>([
  [{ BALENA_APP_LOCK_PATH: '/tmp/balena/updates.lock' }, '/tmp/balena', true],
  [{ RESIN_APP_LOCK_PATH: '/tmp/resin/resin-updates.lock' }, '/tmp/resin', true],
  [{ BALENA_APP_LOCK_PATH: '/b/updates.lock', RESIN_APP_LOCK_PATH: '/r/updates.lock' }, '/b', true],
  [{ BALENA_APP_LOCK_PATH: '', RESIN_APP_LOCK_PATH: '/r/updates.lock' }, '/r', true],
  [{ BALENA_APP_LOCK_PATH: '', RESIN_APP_LOCK_PATH: '' }, '/tmp/balena', false],
  [{ BALENA_APP_LOCK_PATH: '/b/updates.lock', UPDATE_LOCK_DIR: '/mine' }, '/mine', true],
  [{ BALENA_APP_LOCK_PATH: '/b/updates.lock', UPDATE_LOCK_DIR: '' }, '/b', true],
  [{ UPDATE_LOCK_DIR: '/mine' }, '/mine', false],
  // Helios sets no path of the lock.
  [{ BALENA_APP_UUID: 'abc' }, '/tmp/balena', true],
])('with %j the lock is taken in %s; on a device: %s', (environment, lockDirectory, isOnDevice) => {
  expect(configOf(environment)).toMatchObject({ lockDirectory, isOnDevice });
});

test('an empty variable counts as unset', () => {
  const names = [
    'DIR', 'LEGACY_PATH', 'HOST', 'PORT', 'SOCKET', 'SOCKET_MODE', 'DEFAULT_TTL', 'MAX_TTL', 'MAX_LEASES', 'HOLD_ON_START',
    'RESTART_GRACE', 'LOST_COOLDOWN', 'ON_STOP', 'WINDOWS', 'FREEZE', 'TIMEZONE', 'LOG_LEVEL', 'LOG_FORMAT',
  ];
  const environment = Object.fromEntries(names.map((name) => [`UPDATE_LOCK_${name}`, '']));
  expect(configOf(environment)).toEqual(configOf({}));
});

describe('when updates are allowed', () => {
  const windows = [{ days: [0, 6], startMinute: 60, endMinute: 120 }];
  const christmas = [{ firstDay: 20_811, lastDay: 20_811 }];

  test.each<[Record<string, string>, Config['times']]>([
    [{}, { windows: null, freezes: null, timeZone: 'UTC' }],
    [{ TZ: 'Asia/Tokyo' }, { windows: null, freezes: null, timeZone: 'UTC' }],
    [{ UPDATE_LOCK_TIMEZONE: 'Europe/London', TZ: 'Asia/Tokyo' }, { windows: null, freezes: null, timeZone: 'Europe/London' }],
    [{ UPDATE_LOCK_WINDOWS: 'Sat,Sun 01:00-02:00' }, { windows, freezes: null, timeZone: 'UTC' }],
    [{ UPDATE_LOCK_FREEZE: '2026-12-24' }, { windows: null, freezes: christmas, timeZone: 'UTC' }],
    [{ UPDATE_LOCK_WINDOWS: 'Sat,Sun 01:00-02:00', TZ: 'Asia/Tokyo' }, { windows, freezes: null, timeZone: 'Asia/Tokyo' }],
    [{ UPDATE_LOCK_WINDOWS: 'Sat,Sun 01:00-02:00', TZ: ':asia/tokyo' }, { windows, freezes: null, timeZone: 'Asia/Tokyo' }],
    [{ UPDATE_LOCK_WINDOWS: 'Sat,Sun 01:00-02:00', TZ: '' }, { windows, freezes: null, timeZone: 'UTC' }],
    [
      { UPDATE_LOCK_WINDOWS: 'Sat,Sun 01:00-02:00', UPDATE_LOCK_FREEZE: '2026-12-24', UPDATE_LOCK_TIMEZONE: 'europe/london', TZ: 'Asia/Tokyo' },
      { windows, freezes: christmas, timeZone: 'Europe/London' },
    ],
  ])('%j', (environment, times) => {
    expect(configOf(environment)).toMatchObject({ times, warnings: [] });
  });
});

test.each([
  [true, {}, 'pretty'],
  [false, {}, 'json'],
  [true, { UPDATE_LOCK_LOG_FORMAT: 'json' }, 'json'],
])('on a terminal (%s) with %j the log is %s', (isTerminal, environment, logFormat) => {
  expect(configOf(environment, isTerminal).logFormat).toBe(logFormat);
});

test("what looks like a setting and is none is named; the client's variables and other programs' are not", () => {
  const environment = { UPDATE_LOCK_TLL: '5m', UPDATE_LOCK_URL: 'x', UPDATE_LOCK_TOKEN: 'x', UPDATE_LOCK_HELD: '1', UPDATE_LOCK_NAME: 'x', PATH: '/bin' };
  expect(configOf(environment).warnings).toEqual(['UPDATE_LOCK_TLL is not a setting of this version and has no effect']);
});

test.each([
  ['UPDATE_LOCK_WINDOW', 'UPDATE_LOCK_WINDOWS'],
  ['UPDATE_LOCK_TIME_ZONE', 'UPDATE_LOCK_TIMEZONE'],
  ['UPDATE_LOCK_SOKCET', 'UPDATE_LOCK_SOCKET'],
])('somebody who sets %s is asked whether %s was meant', (name, meant) => {
  expect(configOf({ [name]: 'x' }).warnings).toEqual([`${name} is not a setting of this version and has no effect; did you mean ${meant}?`]);
});
