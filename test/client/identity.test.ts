import { isSameLease } from '../../client/src/lease-identity';
import { checkName, makeName } from '../../client/src/lease-name';
import type { Lease } from '../../client/src/types';

const since = '2026-01-01T00:00:00.000Z';
const ours: Lease = { id: 'b7f3', name: 'recorder', reason: '', kind: 'connection', since, expires: null, ttlSeconds: null, remainingSeconds: null, renewals: 0, peer: 'unix' };
const laterBy = (ms: number): string => new Date(Date.parse(since) + ms).toISOString();
const YEAR = 365 * 86_400_000;

describe('a lease that is looked for after a restart is ours', () => {
  // what it says of itself, the sidecar's clock, our age, for how long we were gone
  const CASES: [string, Partial<Lease>, number, number, number, boolean][] = [
    ['if it has been there since then', {}, Date.parse(since) + 60_000, 60_000, 1000, true],
    ['if it has been there since then, however short we have had it', {}, Number.NaN, 5, 1, true],
    ['if the clock was set, and it is as old as ours', { since: laterBy(YEAR) }, Date.parse(laterBy(YEAR + 60_000)), 60_500, 1000, true],
    ['if the clock was set back', { since: laterBy(-YEAR) }, Date.parse(laterBy(-YEAR + 60_000)), 60_500, 1000, true],
    ['not if it is younger', { since: laterBy(59_500) }, Date.parse(since) + 60_000, 60_000, 1000, false],
    ['not if it is younger and the clock was set', { since: laterBy(YEAR) }, Date.parse(laterBy(YEAR)), 60_000, 1000, false],
    ['not if nobody can tell, since ours is hardly older than the break', { since: laterBy(1000) }, Date.parse(laterBy(2000)), 2000, 1000, false],
    ['not if nobody can tell, since the sidecar says no time', { since: laterBy(YEAR) }, Number.NaN, 60_000, 1000, false],
    ['not if it is for a time', { kind: 'timed' }, Date.parse(since) + 60_000, 60_000, 1000, false],
  ];

  test.each(CASES)('%s', (_how, differences, dateMs, ageMs, goneForMs, expected) => {
    expect(isSameLease(ours, { lease: { ...ours, ...differences }, dateMs }, ageMs, goneForMs)).toBe(expected);
  });
});

describe('a name that is made up', () => {
  test.each(['/app/recorder.js', '/app/-.-.js', '', 'ünïcödé', '/usr/bin/node', `/${'x'.repeat(300)}.mjs`, '[eval]'])('for %j is one', (program) => {
    expect(checkName(makeName(program))).toContain(`-${String(process.pid)}-`);
  });

  test('tells who it is, and is never the same', () => {
    expect(makeName('/app/recorder.js')).toMatch(/^recorder-/);
    expect(new Set(Array.from({ length: 50 }, () => makeName())).size).toBe(50);
  });
});
