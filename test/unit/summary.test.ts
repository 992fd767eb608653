import { summarise } from '../../sidecar/http/summary';
import type { LockStatus } from '../../sidecar/keeper/status';
import { cannotLock, fromStanding } from '../../sidecar/keeper/refusals';
import type { UpdateStatus } from '../../sidecar/supervisor/update-status';
import { makeLease } from './make-lease';

const TEN = Date.UTC(2026, 4, 1, 10, 0);
const MINUTE = 60_000;
const FREE: LockStatus = { state: 'free', refusal: null,
  obstacles: { gate: null, disk: null, names: null }, sinceMs: null, expiresAtMs: null, flocked: true, paths: [], leases: [] };
const timeline = { toWallMs: (ms: number): number => ms, toRfc3339: (ms: number): string => new Date(ms).toISOString() };
const say = (status: Partial<LockStatus>, update: UpdateStatus | null = null, isDraining = false): string =>
  summarise({ lock: { ...FREE, ...status }, update, isDraining, window: null, nowMs: TEN + 3 * MINUTE, timeline });

const recorder = makeLease('recorder', { reason: 'recording' });
const held: Partial<LockStatus> = { state: 'held', sinceMs: TEN + 2 * MINUTE, expiresAtMs: TEN + 7 * MINUTE, leases: [recorder] };

test.each<[string, Partial<LockStatus>, string]>([
  ['held by one', held, 'Updates are held back by recorder (recording) since 10:02, until 10:07 at the latest.'],
  ['held without a reason', { ...held, leases: [makeLease('a')] }, 'Updates are held back by a since 10:02, until 10:07 at the latest.'],
  ['held by two', { ...held, leases: [recorder, makeLease('b')] }, 'Updates are held back by recorder (recording) and b since 10:02, until 10:07 at the latest.'],
  ['held by three', { ...held, leases: ['a', 'b', 'c'].map((name) => makeLease(name)) }, 'Updates are held back by a, b and c since 10:02, until 10:07 at the latest.'],
  ['held by five', { ...held, leases: ['a', 'b', 'c', 'd', 'e'].map((name) => makeLease(name)) }, 'Updates are held back by a, b, c and 2 more since 10:02, until 10:07 at the latest.'],
  ['held without an end', { ...held, expiresAtMs: null }, 'Updates are held back by recorder (recording) since 10:02, until it is released.'],
  ['held since another day', { ...held, sinceMs: TEN - 86_400_000 }, 'Updates are held back by recorder (recording) since 2026-04-30 10:00, until 10:07 at the latest.'],
  ['held beyond midnight', { ...held, expiresAtMs: TEN + 20 * 3_600_000 }, 'Updates are held back by recorder (recording) since 10:02, until 2026-05-02 06:00 at the latest.'],
  ['free', {}, 'Nothing holds back updates.'],
  ['of the Supervisor', { state: 'updating', refusal: fromStanding({ path: '/l/updates.lock', standing: 'supervisor' }) }, 'An update is being applied: the balena Supervisor holds the lock (/l/updates.lock).'],
  ["somebody else's", { state: 'foreign', refusal: fromStanding({ path: '/l/updates.lock', standing: 'foreign' }) }, "Updates are held back by somebody else: a file that is not the sidecar's holds the lock: /l/updates.lock. Whoever made it has to remove it."],
  ['just lost', { state: 'cooldown', refusal: { code: 'cooldown', detail: '', retryAfterMs: 15 * MINUTE } }, 'The lock was just taken away from outside, so an update can get through; leases are granted again from 10:18.'],
  ['not to be had', { state: 'unavailable', refusal: cannotLock('the file system is full') }, 'Nobody can hold back updates now: the lock cannot be taken: the file system is full.'],
])('a lock that is %s is put into one sentence', (_, status, sentence) => {
  expect(say(status)).toBe(sentence);
});

test('what an app gives as its reason reaches no terminal', () => {
  // eslint-disable-next-line no-control-regex
  expect(say({ ...held, leases: [makeLease('a', { reason: '\u001b[2J\u202e\n\r' })] })).not.toMatch(/[\u0000-\u001f\u202e]/);
});
