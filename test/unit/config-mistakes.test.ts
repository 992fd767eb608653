import { mistakesOf } from './read-config';

/** Each variable with values that are not allowed, and what has to be said of what is. */
const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['UPDATE_LOCK_DIR', ['/tmp/\0'], /path/],
  ['UPDATE_LOCK_HOST', ['a b', 'http://localhost', '0.0.0.0/8'], /address|host name/],
  ['UPDATE_LOCK_PORT', ['-1', '65536', '80a', '8.5', ' 80', '1e3', '0x50', 'OFF', 'on'], /0 to 65535, or off/],
  ['UPDATE_LOCK_ALLOWED_HOSTS', ['a b', 'http://localhost', 'device.example.com:8080', 'a,,b', ',', '*.', '**', 'a.*', '[::1]', '.example.com'], /host names without a port, separated by commas/],
  ['UPDATE_LOCK_SOCKET', [`/${'x'.repeat(107)}`, `/${'ü'.repeat(60)}`], /107 bytes, or off/],
  ['UPDATE_LOCK_SOCKET_MODE', ['66', '888', '01666', '0o666', 'rw', '-666', '10666'], /octal/],
  ['UPDATE_LOCK_DEFAULT_TTL', ['0', '999ms', '-1', 'x', '366d', '5 m', 'Infinity'], /1s to 365d.*90s, 5m/],
  ['UPDATE_LOCK_MAX_TTL', ['0.5', '1y', '8761h'], /1s to 365d/],
  ['UPDATE_LOCK_MAX_LEASES', ['0', '-5', '1.5', '1000001', 'many', '1e3', ' 1'], /1 to 1000000/],
  ['UPDATE_LOCK_HOLD_ON_START', ['-1', 'yes', '366d'], /at most 365d.*90s, 5m/],
  ['UPDATE_LOCK_RESTART_GRACE', ['soon', '1h 5m'], /at most 365d/],
  ['UPDATE_LOCK_LOST_COOLDOWN', ['15S', '٥'], /at most 365d/],
  ['UPDATE_LOCK_ON_STOP', ['Keep', 'drop'], /keep.*release/],
  ['UPDATE_LOCK_WINDOWS', ['Fry 01:00-02:00', ' ', '01:00', '9:00-17:00', '24:00-24:00', 'never; boot+10m', 'boot+0'], /has ".*" in it; windows like "Mon-Fri 22:00-06:00.*".* are allowed/],
  ['UPDATE_LOCK_FREEZE', ['2026-02-30', '26-12-20..27-01-04', 'Mon', '2027-01-04..2026-12-20'], /has ".*" in it; freezes like "2026-12-20..2027-01-04.*".* are allowed/],
  ['UPDATE_LOCK_TIMEZONE', ['Mars/Olympus', 'UTC+1', ' '], /IANA list, like Europe\/London/],
  ['UPDATE_LOCK_TAGS_POLL', ['0', '99ms', '25h', 'often'], /100ms to 1d/],
  ['UPDATE_LOCK_LOG_LEVEL', ['verbose', 'INFO'], /error.*warn.*info.*debug/],
  ['UPDATE_LOCK_LOG_FORMAT', ['text'], /json.*pretty/],
];

test.each(WRONG.flatMap(([name, values, allowed]) => values.map((value) => [name, value, allowed] as const)))(
  '%s=%j is one mistake, which names the variable, the value and what is allowed',
  (name, value, allowed) => {
    const mistakes = mistakesOf({ [name]: value });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(`${name}: ${JSON.stringify(value)} `);
    expect(mistakes[0]).toMatch(allowed);
  },
);

test('all mistakes are reported together, in one line each', () => {
  const environment = Object.fromEntries(WRONG.map(([name, values]) => [name, values[0]]));
  const mistakes = mistakesOf(environment);
  expect(mistakes.map((mistake) => mistake.split(':')[0])).toEqual(WRONG.map(([name]) => name));
  expect(mistakes.filter((mistake) => mistake.includes('\n'))).toEqual([]);
});

test('every wrong one of several host names is named, and no right one', () => {
  expect(mistakesOf({ UPDATE_LOCK_ALLOWED_HOSTS: 'good.example, b@d, *.good.example, http://bad' })).toEqual([expect.stringContaining(' has "b@d", "http://bad" in it; ')]);
});

test('all mistakes in windows and freezes are in one line each', () => {
  const environment = { UPDATE_LOCK_WINDOWS: 'Fry 01:00-02:00; 01:00-02:00; 03:00', UPDATE_LOCK_FREEZE: '2026-02-30;x', UPDATE_LOCK_TIMEZONE: 'Mars/Olympus' };
  const mistakes = mistakesOf(environment);
  expect(mistakes.map((mistake) => /has (.*) in it/.exec(mistake)?.[1])).toEqual(['"Fry 01:00-02:00", "03:00"', '"2026-02-30", "x"', undefined]);
});

test('TZ is wrong only where it counts', () => {
  expect(mistakesOf({ TZ: 'Mars/Olympus' })).toEqual([]);
  expect(mistakesOf({ TZ: 'Mars/Olympus', UPDATE_LOCK_WINDOWS: '01:00-02:00', UPDATE_LOCK_TIMEZONE: 'UTC' })).toEqual([]);
  for (const settings of [{ UPDATE_LOCK_FREEZE: '2026-12-24' }, { UPDATE_LOCK_TAGS: 'update-lock' }]) {
    expect(mistakesOf({ TZ: 'Mars/Olympus', ...settings })).toEqual([expect.stringMatching(/^TZ: "Mars\/Olympus" is not a time zone/)]);
  }
});

test('a value that would break the line or the terminal is shown escaped', () => {
  const [mistake] = mistakesOf({ UPDATE_LOCK_PORT: '80\n\u001b[2J' });
  expect(mistake).toContain(String.raw`"80\n\u001b[2J"`);
});

describe.each(['UPDATE_LOCK_API_TOKEN', 'UPDATE_LOCK_ADMIN_TOKEN'])('%s', (name) => {
  test.each(['hunter2 hunter2', 'hunter2\n', 'hünter2', `hunter2${'x'.repeat(512)}`, '\u0000hunter2'])('is never shown: %j', (token) => {
    const mistakes = mistakesOf({ [name]: token, UPDATE_LOCK_PORT: 'x' });
    expect(mistakes).toHaveLength(2);
    expect(mistakes.join('\n')).toContain(`${name}: `);
    expect(mistakes.join('\n')).toContain('1 to 512 visible ASCII characters');
    expect(mistakes.join('\n')).not.toMatch(/nter2/);
  });

  test('is a mistake if it is empty: a door would be open that somebody meant to lock', () => {
    expect(mistakesOf({ [name]: '' })).toEqual([expect.stringContaining(`${name}: its value is empty`)]);
  });

  test('is not shown in the mistakes of others', () => {
    expect(mistakesOf({ [name]: 'hunter2', UPDATE_LOCK_PORT: 'x' }).join('\n')).not.toContain('hunter2');
  });
});

describe('settings that contradict each other', () => {
  test.each<[string, Record<string, string>, readonly string[]]>([
    ['a default above the maximum', { UPDATE_LOCK_DEFAULT_TTL: '2h', UPDATE_LOCK_MAX_TTL: '1h' }, ['UPDATE_LOCK_DEFAULT_TTL', '2h', 'UPDATE_LOCK_MAX_TTL', '1h']],
    ['a maximum below the default', { UPDATE_LOCK_MAX_TTL: '1m' }, ['UPDATE_LOCK_DEFAULT_TTL', '5m', 'UPDATE_LOCK_MAX_TTL', '1m']],
    ['no listener at all', { UPDATE_LOCK_PORT: 'off', UPDATE_LOCK_SOCKET: 'off' }, ['UPDATE_LOCK_PORT', 'UPDATE_LOCK_SOCKET', 'off']],
    ['the legacy file in the lock directory', { UPDATE_LOCK_DIR: '/data', UPDATE_LOCK_LEGACY_PATH: '/data/x.lock' }, ['UPDATE_LOCK_LEGACY_PATH', '/data/x.lock']],
  ])('%s: one mistake that names both', (_, environment, parts) => {
    const mistakes = mistakesOf(environment);
    expect(mistakes).toHaveLength(1);
    for (const part of parts) expect(mistakes[0]).toContain(part);
  });

  test.each<[string, Record<string, string>]>([
    ['equal to the maximum', { UPDATE_LOCK_DEFAULT_TTL: '1h', UPDATE_LOCK_MAX_TTL: '60m' }],
    ['only the port off', { UPDATE_LOCK_PORT: 'off' }],
    ['only the socket off', { UPDATE_LOCK_SOCKET: 'off' }],
    ['the legacy file elsewhere', { UPDATE_LOCK_DIR: '/data/locks', UPDATE_LOCK_LEGACY_PATH: '/data/x.lock' }],
  ])('%s is none', (_, environment) => {
    expect(mistakesOf(environment)).toEqual([]);
  });

  test('are reported together, and with other mistakes', () => {
    const mistakes = mistakesOf({
      UPDATE_LOCK_PORT: 'off', UPDATE_LOCK_SOCKET: 'off', UPDATE_LOCK_DEFAULT_TTL: '2h', UPDATE_LOCK_MAX_TTL: '1h', UPDATE_LOCK_LOG_LEVEL: 'loud',
    });
    expect(mistakes).toHaveLength(3);
  });

  test('are not made up from a setting that is wrong itself', () => {
    expect(mistakesOf({ UPDATE_LOCK_DEFAULT_TTL: 'x', UPDATE_LOCK_MAX_TTL: '1m' })).toHaveLength(1);
  });
});

test('one token for both purposes is a mistake, which does not show it', () => {
  const mistakes = mistakesOf({ UPDATE_LOCK_API_TOKEN: 'hunter2', UPDATE_LOCK_ADMIN_TOKEN: 'hunter2' });
  expect(mistakes).toEqual([expect.stringMatching(/^UPDATE_LOCK_ADMIN_TOKEN: its value is that of UPDATE_LOCK_API_TOKEN/)]);
  expect(mistakes.join('')).not.toContain('hunter2');
  expect(mistakesOf({ UPDATE_LOCK_API_TOKEN: 'hunter2', UPDATE_LOCK_ADMIN_TOKEN: 'hunter3' })).toEqual([]);
});
