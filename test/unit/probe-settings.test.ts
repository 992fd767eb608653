import { parseProbes, type ProbeSettings } from '../../sidecar/holders/probes/probe-settings';
import { configOf, mistakesOf } from './read-config';

const PROBE = { name: 'jenkins', url: 'http://localhost/', holdWhen: '/busy/' };

function probeOf(fields: Readonly<Record<string, unknown>>): ProbeSettings {
  const parsed = parseProbes(JSON.stringify([{ ...PROBE, ...fields }]));
  if (!parsed.ok) throw new Error(parsed.mistakes.join('\n'));
  const [probe] = parsed.value;
  if (probe === undefined) throw new Error('there is none');
  return probe;
}

/** The mistakes of one probe that is right but for these fields; undefined leaves one out. */
function mistakesWith(fields: Readonly<Record<string, unknown>>): readonly string[] {
  return mistakesOf({ UPDATE_LOCK_PROBES: JSON.stringify([{ ...PROBE, ...fields }]) });
}

test('what is not said has the defaults of the interface', () => {
  const { expression, url, ...rest } = probeOf({});
  expect(rest).toEqual({ name: 'jenkins', authorization: null, holdsOnMatch: true, everyMs: 30_000, timeoutMs: 5000, onError: 'keep' });
  expect([url.href, expression]).toEqual(['http://localhost/', /busy/]);
});

test('what is not said at all are no probes', () => {
  expect(configOf({ UPDATE_LOCK_PROBES: '' }).probes).toEqual([]);
  expect(configOf({ UPDATE_LOCK_PROBES: ' [ ] ' }).probes).toEqual([]);
});

test.each<[string, Record<string, unknown>, Partial<ProbeSettings>]>([
  ['holdUnless', { holdWhen: undefined, holdUnless: '/idle/' }, { holdsOnMatch: false }],
  ['an interval in words', { every: '1h30m' }, { everyMs: 5_400_000 }],
  ['an interval in seconds, as a text', { every: '90' }, { everyMs: 90_000 }],
  ['an interval in seconds, as a number', { every: 0.1 }, { everyMs: 100 }],
  ['the longest interval', { every: '1d' }, { everyMs: 86_400_000 }],
  ['a time-out', { timeout: '10ms' }, { timeoutMs: 10 }],
  ['a time-out that is longer than the interval', { timeout: '1h', every: '1s' }, { timeoutMs: 3_600_000, everyMs: 1000 }],
  ['onError', { onError: 'release' }, { onError: 'release' }],
  ['the longest name', { name: 'x'.repeat(64) }, { name: 'x'.repeat(64) }],
])('%s', (_, fields, expected) => {
  expect(probeOf(fields)).toMatchObject(expected);
});

test.each<[string, string, string | null]>([
  ['http://localhost:8080/a?b=c#d', 'http://localhost:8080/a?b=c', null],
  ['https://user:pass@[::1]/', 'https://[::1]/', 'user:pass'],
  ['http://user@localhost', 'http://localhost/', 'user:'],
  ['http://:pass@localhost', 'http://localhost/', ':pass'],
  ['http://%C3%BCser:p%40ss%3A%2F@localhost', 'http://localhost/', 'üser:p@ss:/'],
])('%s is asked at %s, and user and password go in a header', (url, href, userAndPassword) => {
  const probe = probeOf({ url });
  expect(probe.url.href).toBe(href);
  expect(probe.authorization).toBe(userAndPassword === null ? null : `Basic ${Buffer.from(userAndPassword).toString('base64')}`);
});

/** One field with values that are not allowed, and what has to be said. */
const WRONG: readonly (readonly [string, readonly unknown[], RegExp])[] = [
  ['name', ['', 'a b', '.a', '@a', 'x'.repeat(65), 5, null, {}], /letters, digits/],
  ['url', ['', 'localhost', 'ftp://localhost/', 'unix:/run/x.sock', 'http://', 'http://localhost:99999', `http://localhost/${'x'.repeat(2048)}`, 8080, null], /http:\/\/HOST\/PATH or https/],
  ['url', ['http://a%3Ab:c@localhost', 'http://%zz@localhost', 'http://a:%0A@localhost', 'http://a:%ff@localhost'], /percent-encoded/],
  ['holdWhen', ['', 'busy', '/busy', 'busy/', '//', 5, null, ['/a/']], /"\/regular expression\/flags".*allowed/],
  ['holdWhen', ['/a/x', '/a/ii', '/a/y', '/a/v'], /each of i, m, s, u and g is allowed once/],
  ['holdWhen', ['/(/', '/[/', '/a{2,1}/', '/*/', '/\\p{X}/u'], /is not a regular expression: /],
  ['holdWhen', [`/${'a'.repeat(1000)}/`], /1000 characters are allowed/],
  ['every', ['', 'soon', '99ms', '25h', '-1', 0, -1, null, {}], /is not an interval; a duration from 100ms to 1d is allowed: .*90s/],
  ['timeout', ['', '9ms', '61m', 0, null], /is not a time-out; a duration from 10ms to 1h is allowed/],
  ['onError', ['', 'Keep', 'drop', null, 1], /keep, hold or release/],
];

test.each(WRONG.flatMap(([field, values, said]) => values.map((value) => [field, value, said] as const)))(
  '%s: %j is one mistake, which names the place, the value and what is allowed',
  (field, value, said) => {
    const mistakes = mistakesWith({ [field]: value });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(said);
    const place = field === 'name' ? 'probe 1, name: ' : `probe 1 "jenkins", ${field}: `;
    expect(mistakes[0]?.startsWith(`UPDATE_LOCK_PROBES: ${place}`)).toBe(true);
    if (typeof value !== 'object' && !JSON.stringify(value).includes('@')) expect(mistakes[0]).toContain(JSON.stringify(value).slice(0, 100));
    expect(mistakes[0]).not.toContain('\n');
  },
);

test.each<[string, Record<string, unknown>, string]>([
  ['no name', { name: undefined }, 'probe 1, name: is missing'],
  ['no URL', { url: undefined }, 'probe 1 "jenkins", url: is missing'],
  ['no expression', { holdWhen: undefined }, 'probe 1 "jenkins", holdWhen or holdUnless: is missing'],
  ['two expressions', { holdUnless: '/(/' }, 'probe 1 "jenkins", holdWhen and holdUnless: both are there'],
  ['an unknown field', { hodlWhen: '/a/' }, 'probe 1 "jenkins", "hodlWhen": is no field of a probe; name, url, holdWhen'],
  ['a field of all objects', { ['__proto__x']: 1, toString: 1 }, 'probe 1 "jenkins", "__proto__x": is no field'],
])('%s', (_, fields, said) => {
  expect(mistakesWith(fields)[0]).toContain(said);
});

test.each<[string, string]>([
  ['{"name":"a"}', 'an object is not an array; a JSON array'],
  ['5', '5 is not an array'],
  ['"/a/"', '"/a/" is not an array'],
  ['[5]', 'probe 1: 5 is not an object'],
  ['[[]]', 'probe 1: an array is not an object'],
  ['[null]', 'probe 1: null is not an object'],
  [`[${'{},'.repeat(256)}{}]`, '257 probes are too many; 256 are allowed'],
])('%s is one mistake', (text, said) => {
  const mistakes = mistakesOf({ UPDATE_LOCK_PROBES: text });
  expect(mistakes).toEqual([expect.stringContaining(`UPDATE_LOCK_PROBES: ${said}`)]);
});

test.each([' ', '[', 'x', '[{]', '[{"name": jenkins}]', "[{'name': 1}]", '[{"name": "a",}]', '[1 2]', '[] []', '["a\tb"]', '["\\d"]', '[{"a":1},\n {"b" 2}]', '[\u001b]'])(
  '%j is not JSON, and what is wrong is told in one line',
  (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    const [mistake, ...more] = mistakesOf({ UPDATE_LOCK_PROBES: text });
    expect(more).toEqual([]);
    expect(mistake).toMatch(/^UPDATE_LOCK_PROBES: its value is not JSON: (Unexpected|Expected|Bad) [ -~]+; a JSON array of objects like/);
  },
);

test('names have to differ, and it is told from which', () => {
  const probes = [{ ...PROBE, name: 'a' }, PROBE, { ...PROBE, name: 'a' }];
  expect(mistakesOf({ UPDATE_LOCK_PROBES: JSON.stringify(probes) })).toEqual([
    'UPDATE_LOCK_PROBES: probe 3 "a", name: "a" is the name of probe 1 already; each needs one of its own',
  ]);
});

test('all mistakes are reported together, with those of other variables', () => {
  const probes = [{ name: 'a', url: 'x', holdWhen: 'y', every: 'z', timeout: 'z', onError: 'z', more: 1 }, 7, {}];
  const mistakes = mistakesOf({ UPDATE_LOCK_PROBES: JSON.stringify(probes), UPDATE_LOCK_PORT: 'x' });
  expect(mistakes.map((mistake) => mistake.split(':', 2).join(':'))).toEqual([
    'UPDATE_LOCK_PORT: "x" is not a port; 0 to 65535, or off, are allowed',
    ...['"more"', 'url', 'holdWhen', 'every', 'timeout', 'onError'].map((field) => `UPDATE_LOCK_PROBES: probe 1 "a", ${field}`),
    'UPDATE_LOCK_PROBES: probe 2',
    ...['name', 'url', 'holdWhen or holdUnless'].map((field) => `UPDATE_LOCK_PROBES: probe 3, ${field}`),
  ]);
});

test.each<[string, string]>([
  ['a URL that is none', '[{"name":"a","holdWhen":"/a/","url":"http://user:hunter2@host:99999/"}]'],
  ['a password with signs', '[{"name":"a","holdWhen":"/a/","url":"http://user:hun/ter2?hunter2#hunter2@host:x/"}]'],
  ['a token as a user, without a scheme', '[{"name":"a","holdWhen":"/a/","url":"hunter2@host"}]'],
  ['another scheme', '[{"name":"a","holdWhen":"/a/","url":"ftp://user:hunter2@host/"}]'],
  ['a query', '[{"name":"a","holdWhen":"/a/","url":"ftp://host/?token=hunter2"}]'],
  ['a password that cannot be sent', '[{"name":"a","holdWhen":"/a/","url":"http://user:hunter2%0A@host/"}]'],
  ['a URL in another field', '[{"name":"http://user:hunter2@host/","holdWhen":"http://user:hunter2@host/","url":"http://a/"}]'],
  ['a URL with a query in another field', '[{"name":"http://host/?hunter2","holdWhen":"/a/","url":"http://a/"}]'],
  ['a URL as a field', '[{"name":"a","holdWhen":"/a/","url":"http://a/","http://user:hunter2@host/":1}]'],
  ['a URL instead of an object', '["http://user:hunter2@host/"]'],
  ['a URL in a list', '[{"name":"a","holdWhen":"/a/","url":["http://user:hunter2@host/"]}]'],
  ['a URL instead of an array', '"http://user:hunter2@host/"'],
  ['what is not JSON', '[{"url":"http://user:hunter2@host/" "name":"a"}]'],
  ['what is not JSON in the URL itself', '[{"url":http://user:hunter2@host/}]'],
])('a password is not shown: %s', (_, text) => {
  const mistakes = mistakesOf({ UPDATE_LOCK_PROBES: text });
  expect(mistakes.length).toBeGreaterThan(0);
  expect(mistakes.join('\n')).not.toMatch(/ter2/);
});

test('a value that would break the line or the terminal is shown escaped', () => {
  const [mistake] = mistakesWith({ onError: 'a\n\u001b[2J' });
  expect(mistake).toContain(String.raw`"a\n\u001b[2J"`);
});
