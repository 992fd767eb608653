import { columnsOf, fitTo } from '../../client/src/cli/columns';
import { eventText } from '../../client/src/cli/event-text';
import { span, timeStamp } from '../../client/src/cli/moments';
import { printable } from '../../client/src/cli/output';
import { statusText } from '../../client/src/cli/status-text';
import type { Lease, LockStatus, Update } from '../../client/src/types';

// Dates are shown in local time, which would otherwise be that of whoever runs the tests.
process.env['TZ'] = 'UTC';

const NOW = Date.parse('2026-11-23T10:14:00Z');
const plain = { nowMs: NOW, columns: null, hasColour: false };

const lease: Lease = {
  id: 'b7f3',
  name: 'recorder',
  reason: 'recording',
  kind: 'timed',
  since: '2026-11-23T10:02:00Z',
  expires: '2026-11-23T10:18:12Z',
  ttlSeconds: 972,
  remainingSeconds: 252,
  renewals: 0,
  peer: 'unix',
};

const held: LockStatus = {
  state: 'held',
  since: lease.since,
  expires: lease.expires,
  flock: true,
  paths: [],
  leases: [lease],
  update: null,
  window: null,
  override: null,
  device: null,
  summary: 'Updates are held back.',
};

const update: Update = {
  supervisor: 'reachable',
  pending: true,
  waiting: ['release'],
  downloaded: true,
  downloading: false,
  failed: true,
  since: '2026-11-23T10:04:00Z',
  blockedBy: ['recorder'],
  deadline: null,
  draining: false,
  drainEnds: null, detail: null,
};

test('says who holds back updates, why, since, until, what waits and what to do', () => {
  expect(statusText({ ...held, update }, plain)).toEqual([
    'Updates are held back, since 10:02 (12 min ago), until 10:18 (in 4 min 12 s) at the latest',
    '',
    '  recorder  since 10:02 (12 min ago), until 10:18 (in 4 min 12 s)  recording',
    '',
    'Update  an update is waiting since 10:04 (10 min ago), downloaded, for recorder',
    'To do   to let updates through now: update-lock release recorder',
  ]);
});

test('says of a connection, of the sidecar and of another day what there is to say', () => {
  const leases: Lease[] = [
    { ...lease, name: 'backup', reason: '', kind: 'connection', since: '2026-11-22T09:00:00Z', expires: null },
    { ...lease, name: '@window', reason: 'outside the window', kind: 'builtin', expires: null },
  ];
  const text = statusText({ ...held, expires: null, leases, window: { open: false, opens: '2026-11-23T22:00:00Z', closes: null, frozen: false, timezone: 'Europe/London' } }, plain).join('\n');
  expect(text).toContain('until it is released');
  expect(text).toContain('  backup   since 2026-11-22 09:00 (1 d 1 h ago), while it is connected\n');
  expect(text).toContain('  @window  since 10:02 (12 min ago), until 22:00 (in 11 h 46 min)       outside the window\n');
  expect(text).toContain('Window  closed, opens 22:00 (in 11 h 46 min); set in Europe/London');
});

test.each([
  [true, 'By hand updates are allowed (the pump) until 12:14 (in 2 h)'],
  [false, 'By hand updates are allowed (the pump) until 12:14 (in 2 h), once the clock of the device is set'],
])('says what somebody has said by hand (in force: %s)', (inForce, line) => {
  const override = { updates: 'allow', reason: 'the pump', since: lease.since, until: '2026-11-23T12:14:00Z', inForce } as const;
  expect(statusText({ ...held, override }, plain)).toContain(line);
});

test("says of the sidecar's own leases until when", () => {
  const own = (name: string): Lease => ({ ...lease, name, reason: '', kind: 'builtin', expires: null });
  const window = { open: false, opens: '2026-11-23T22:00:00Z', closes: null, frozen: false, timezone: 'UTC' };
  const override = { updates: 'hold', reason: '', since: lease.since, until: '2026-11-23T12:14:00Z', inForce: true } as const;
  const text = (names: string[]): string[] => statusText({ ...held, expires: null, leases: names.map(own), window, override }, plain);
  expect(text(['@window', '@override']).slice(0, 4)).toEqual([
    'Updates are held back, since 10:02 (12 min ago), until 22:00 (in 11 h 46 min) at the latest',
    '',
    '  @window    since 10:02 (12 min ago), until 22:00 (in 11 h 46 min)',
    '  @override  since 10:02 (12 min ago), until 12:14 (in 2 h)',
  ]);
  expect(text(['@window', '@probe-jenkins']).slice(0, 4)).toEqual([
    'Updates are held back, since 10:02 (12 min ago), until it is released',
    '',
    '  @window         since 10:02 (12 min ago), until 22:00 (in 11 h 46 min)',
    '  @probe-jenkins  since 10:02 (12 min ago), until its next answer at the earliest',
  ]);
  expect(text(['@soak', '@tags']).slice(2, 4)).toEqual([
    '  @soak  since 10:02 (12 min ago), until the soak ends',
    '  @tags  since 10:02 (12 min ago), until the hold by tag ends',
  ]);
});

test('says how a person allows what waits for a window', () => {
  const window: Lease = { ...lease, name: '@window', reason: 'nobody has allowed updates', kind: 'builtin', expires: null };
  const advice = 'To do   to let updates through now, with the admin token: update-lock override allow --for 1h';
  expect(statusText({ ...held, leases: [window], update }, plain)).toContain(advice);
  expect(statusText({ ...held, leases: [window], update: { ...update, pending: false } }, plain)).not.toContain(advice);
});

test.each<[string[], string | null]>([
  [['recorder'], 'now: update-lock release recorder'],
  [['recorder', 'backup'], 'now: update-lock release NAME'],
  [['@override'], 'now, with the admin token: update-lock override clear'],
  [['@window', '@override'], 'now, with the admin token: update-lock override allow --for 1h'],
  [['@override', 'recorder'], 'now, with the admin token: update-lock release recorder && update-lock override clear'],
  [['@soak', 'recorder'], 'now, with the admin token: update-lock release recorder && update-lock override allow --for 1h'],
  [['@probe-jenkins', 'recorder'], 'once @probe-jenkins lets go: update-lock release recorder'],
  [['@start', '@window', '@tags'], 'once @start and @tags let go, with the admin token: update-lock override allow --for 1h'],
  [['@start'], null],
])('says how to let updates through that %j hold back', (names, advice) => {
  const leases = names.map((name): Lease => ({ ...lease, name }));
  const lines = statusText({ ...held, leases, update }, plain).filter((line) => line.startsWith('To do'));
  expect(lines).toEqual(advice === null ? [] : [`To do   to let updates through ${advice}`]);
});

test('says when a drain ends the leases of apps', () => {
  const draining = { ...update, draining: true, drainEnds: '2026-11-23T10:15:00Z' };
  expect(statusText({ ...held, update: draining }, plain).join('\n')).toContain('for recorder, the leases of apps end 10:15 (in 1 min)');
  expect(eventText({ id: '1', type: 'update', data: draining })).toBe('update  an update is pending, held back by recorder, and the leases of apps end at 2026-11-23 10:15:00');
});

test.each(['free', 'updating', 'foreign', 'cooldown', 'unavailable'] as const)('says what %s means', (state) => {
  const [first, second] = statusText({ ...held, state, since: null, expires: null, leases: [], summary: 'The details.' }, plain);
  expect(first).toMatch(/^(Nothing holds back updates|An update is being applied|Somebody else holds back updates|The lock was just taken away|The lock cannot be taken)$/);
  expect(second).toBe(state === 'free' ? undefined : 'The details.');
});

describe('on a terminal', () => {
  const hostile: LockStatus = {
    ...held,
    update: { ...update, blockedBy: ['\x1b]0;title\x07'] },
    leases: [
      { ...lease, name: 'x'.repeat(64), reason: '\x1b[31mred\x1b[2J\x07\r\n\u202Eback\u200B'.repeat(20) },
      { ...lease, name: 'wide', reason: '漢字仮名交じり文🎉👨‍👩‍👧‍👦'.repeat(20) },
    ],
    summary: 'x',
  };

  test.each([200, 100, 80, 60, 40, 20])('no line is wider than %i columns, whatever the names and reasons are', (columns) => {
    for (const line of statusText({ ...hostile, flock: false }, { ...plain, columns })) expect(columnsOf(line)).toBeLessThanOrEqual(columns);
  });

  test('nothing but colours is sent to it', () => {
    for (const hasColour of [true, false]) {
      const text = statusText(hostile, { ...plain, columns: 100, hasColour }).join('');
      // eslint-disable-next-line no-control-regex
      expect(text.replace(/\x1b\[\d+m/g, hasColour ? '' : '$&')).not.toMatch(/[\p{Cc}\u202E]/u);
    }
  });

  test('a reason goes on a line of its own where there is no room beside', () => {
    const lines = statusText(held, { ...plain, columns: 70 });
    expect(lines.slice(2, 4)).toEqual(['  recorder  since 10:02 (12 min ago), until 10:18 (in 4 min 12 s)', '            recording']);
  });
});

test('widths are those of terminals', () => {
  for (const [text, columns] of [['abc', 3], ['é', 1], ['e\u0301', 1], ['漢字', 4], ['🎉', 2], ['👨‍👩‍👧‍👦', 2], ['♫', 1], ['한글', 4], ['ｆｕｌｌ', 8]] as const) {
    expect([text, columnsOf(text)]).toEqual([text, columns]);
  }
  expect(fitTo('漢字仮名', 5)).toBe('漢字…');
  expect(fitTo('漢字仮名', 6)).toBe('漢字…');
  expect(fitTo('abc', 3)).toBe('abc');
  expect(fitTo('abcd', 3)).toBe('ab…');
});

test('what a terminal would obey is not shown', () => {
  expect(printable('a\x1b[31mb\x9bc\nd\te\u202Ef\u2066')).toBe('a\uFFFD[31mb\uFFFDc d e\uFFFDf\uFFFD');
});

test('lengths of time are said in at most two units', () => {
  const spans: readonly (readonly [number, string])[] = [[0, '0 s'], [-5, '0 s'], [499, '0 s'], [59_600, '1 min'], [252_000, '4 min 12 s'], [3_600_000, '1 h'], [3_605_000, '1 h'], [93_600_000, '1 d 2 h']];
  for (const [ms, text] of spans) expect(span(ms)).toBe(text);
  expect(timeStamp('2026-01-02T03:04:05Z')).toBe('2026-01-02 03:04:05');
});
