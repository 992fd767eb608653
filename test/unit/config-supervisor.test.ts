import { configOf, mistakesOf } from './read-config';

const ADDRESS = 'http://127.0.0.1:48484';

test.each<[string, Record<string, string>, string | null, string | null]>([
  ['both', { BALENA_SUPERVISOR_ADDRESS: ADDRESS, BALENA_SUPERVISOR_API_KEY: 'k3y' }, ADDRESS, 'k3y'],
  ['both by their older names', { RESIN_SUPERVISOR_ADDRESS: ADDRESS, RESIN_SUPERVISOR_API_KEY: 'k3y' }, ADDRESS, 'k3y'],
  ['the newer names before the older', { BALENA_SUPERVISOR_ADDRESS: ADDRESS, BALENA_SUPERVISOR_API_KEY: 'new', RESIN_SUPERVISOR_ADDRESS: 'http://old:1', RESIN_SUPERVISOR_API_KEY: 'old' }, ADDRESS, 'new'],
  ['empty newer names', { BALENA_SUPERVISOR_ADDRESS: '', BALENA_SUPERVISOR_API_KEY: '', RESIN_SUPERVISOR_ADDRESS: ADDRESS, RESIN_SUPERVISOR_API_KEY: 'old' }, ADDRESS, 'old'],
  ['an older address with a newer key', { RESIN_SUPERVISOR_ADDRESS: ADDRESS, BALENA_SUPERVISOR_API_KEY: 'new' }, ADDRESS, 'new'],
  ['a newer address with an older key', { BALENA_SUPERVISOR_ADDRESS: ADDRESS, RESIN_SUPERVISOR_API_KEY: 'old' }, ADDRESS, 'old'],
  ['a path at its end', { BALENA_SUPERVISOR_ADDRESS: `${ADDRESS}/v1/`, BALENA_SUPERVISOR_API_KEY: 'k3y' }, ADDRESS, 'k3y'],
  ['an IPv6 address', { BALENA_SUPERVISOR_ADDRESS: 'http://[fe80::1]:48484', BALENA_SUPERVISOR_API_KEY: 'k3y' }, 'http://[fe80::1]:48484', 'k3y'],
  ['a key alone', { BALENA_SUPERVISOR_API_KEY: 'k3y' }, null, null],
  ['nothing', {}, null, null],
])('with %s', (_, environment, url, apiKey) => {
  const { supervisor, warnings } = configOf(environment);
  expect(supervisor).toEqual(url === null ? null : { url, apiKey, isHeliosAlone: false });
  expect(warnings).toEqual([]);
});

test.each(['BALENA', 'RESIN'])('an address without a key is worth a warning: %s', (prefix) => {
  const { supervisor, warnings } = configOf({ [`${prefix}_SUPERVISOR_ADDRESS`]: ADDRESS, [`${prefix}_SUPERVISOR_API_KEY`]: '' });
  expect(supervisor).toBeNull();
  expect(warnings).toEqual([expect.stringMatching(new RegExp(`^${prefix}_SUPERVISOR_ADDRESS is set without its API key`))]);
});

test.each(['127.0.0.1:48484', 'https://127.0.0.1:48484', 'unix:/run/x', 'http://', 'x'])('%j is no address of a Supervisor', (address) => {
  const mistakes = mistakesOf({ BALENA_SUPERVISOR_ADDRESS: address, BALENA_SUPERVISOR_API_KEY: 's3cr3t' });
  expect(mistakes).toEqual([`BALENA_SUPERVISOR_ADDRESS: ${JSON.stringify(address)} is not an address; http://HOST:PORT is allowed`]);
});

test.each(['s3cr3t s3cr3t', 's3cr3t\n', 's3cr3tü', `s3cr3t${'x'.repeat(512)}`])('a key that is none is never shown: %j', (key) => {
  const mistakes = mistakesOf({ BALENA_SUPERVISOR_ADDRESS: ADDRESS, BALENA_SUPERVISOR_API_KEY: key });
  expect(mistakes).toEqual([expect.stringMatching(/^BALENA_SUPERVISOR_API_KEY: its value is not a token/)]);
  expect(mistakes[0]).not.toContain('cr3t');
});

test.each<[string, readonly string[], RegExp]>([
  ['UPDATE_LOCK_SUPERVISOR_POLL', ['0', '99ms', '-1', '2d', 'off', 'x'], /100ms to 1d/],
  ['UPDATE_LOCK_TAGS', ['a b', 'io.balena.lock', 'x'.repeat(65), 'OFF\t'], /up to 64 characters without white space/],
  ['UPDATE_LOCK_TAGS_REASONS', ['no', '1'], /on/],
  ['UPDATE_LOCK_DEADLINE', ['0', '999ms', 'never', 'OFF', '366d'], /off, or a duration from 1s to 365d/],
  ['UPDATE_LOCK_DEADLINE_GRACE', ['-1', 'off', '366d'], /at most 365d/],
])('%s is bounded', (name, values, allowed) => {
  for (const value of values) expect(mistakesOf({ [name]: value })).toEqual([expect.stringMatching(allowed)]);
});

test.each<[Record<string, string>, boolean]>([
  [{ UPDATE_LOCK_DEADLINE: '1d' }, true],
  [{ UPDATE_LOCK_DEADLINE: 'off' }, false],
  [{ UPDATE_LOCK_DEADLINE: '1d', BALENA_SUPERVISOR_ADDRESS: ADDRESS, BALENA_SUPERVISOR_API_KEY: 'k3y' }, false],
])('a deadline that nothing could ever tell has passed is worth a warning: %j', (environment, isWarned) => {
  const warning = "UPDATE_LOCK_DEADLINE has no effect without the Supervisor's API, which tells whether an update waits";
  expect(configOf(environment).warnings).toEqual(isWarned ? [warning] : []);
});

test.each<[Record<string, string>, boolean]>([
  [{ UPDATE_LOCK_SOAK: '1d' }, true],
  [{ UPDATE_LOCK_SOAK: '0' }, false],
  [{ UPDATE_LOCK_SOAK: '1d', BALENA_SUPERVISOR_ADDRESS: ADDRESS, BALENA_SUPERVISOR_API_KEY: 'k3y' }, false],
])('a soak for which no release can be told from another is worth a warning: %j', (environment, isWarned) => {
  const warning = "UPDATE_LOCK_SOAK has no effect without the Supervisor's API, which names the release that waits";
  expect(configOf(environment).warnings).toEqual(isWarned ? [warning] : []);
});
