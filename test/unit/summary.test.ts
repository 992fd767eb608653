import { summarise } from '../../sidecar/http/summary';
import { LeasePolicies } from '../../sidecar/leases/policies';
import type { FoundPath } from '../../sidecar/keeper/left-behind';
import type { LockStatus } from '../../sidecar/keeper/status';
import { cannotLock, fromStanding } from '../../sidecar/keeper/refusal-texts';
import type { Standing } from '../../sidecar/lock/classify';
import { NOT_CONFIGURED, type UpdateStatus } from '../../sidecar/supervisor/update-status';
import { TimeZone } from '../../server/time-zone';
import { makeLease } from './make-lease';

const TEN = Date.UTC(2026, 4, 1, 10, 0);
const MINUTE = 60_000;
const FREE: LockStatus = { state: 'free', refusal: null,
  obstacles: { gate: null, disk: null, names: null }, sinceMs: null, expiresAtMs: null, flocked: true, paths: [], leases: [] };
const timeline = { toWallMs: (ms: number): number => ms };
const policies = new LeasePolicies();
policies.register('@window', { survivesDrain: true });
policies.register('@opening', { survivesDrain: true, end: () => ({ atWallMs: TEN + 10 * MINUTE, event: 'the window opens' }) });
const say = (status: Partial<LockStatus>, update: UpdateStatus | null = null, isDraining = false, zone = 'UTC', drainEndsAtMs: number | null = null): string =>
  summarise({ lock: { ...FREE, ...status }, update, isDraining, drainEndsAtMs, allowance: null, unreadableTags: [], policies, nowMs: TEN + 3 * MINUTE, timeline, zone: new TimeZone(zone) });

function found(standing: Standing, { uid = 1000, isEmpty = false, agoMs = 0, isLeftBehind = false } = {}): FoundPath {
  const file = { dev: 1, ino: 2, uid, isEmpty, writtenAtWallMs: TEN + 3 * MINUTE - agoMs };
  return { path: '/l/updates.lock', standing, file, isLeftBehind };
}

const opening = makeLease('@opening', { kind: 'builtin', endsAtMs: null });
const recorder = makeLease('recorder', { reason: 'recording' });
const held: Partial<LockStatus> = { state: 'held', sinceMs: TEN + 2 * MINUTE, expiresAtMs: TEN + 7 * MINUTE, leases: [recorder] };

test.each<[string, string]>([
  ['Europe/London', 'since 11:02 BST, until 11:07 BST at the latest'],
  ['Asia/Tokyo', 'since 19:02 GMT+9, until 19:07 GMT+9 at the latest'],
  ['America/Los_Angeles', 'since 03:02 GMT-7, until 03:07 GMT-7 at the latest'],
])('its times are in the zone %s, and name it', (zone, times) => {
  expect(say(held, null, false, zone)).toBe(`Updates are held back by recorder (recording) ${times}.`);
});

test('a day is one of the zone', () => {
  const late = { ...held, expiresAtMs: TEN + 5 * 3_600_000 };
  expect(say(late, null, false, 'Asia/Tokyo')).toContain('until 2026-05-02 00:00 GMT+9');
});

test.each<[string, Partial<LockStatus>, string]>([
  ['held by one', held, 'Updates are held back by recorder (recording) since 10:02 UTC, until 10:07 UTC at the latest.'],
  ['held without a reason', { ...held, leases: [makeLease('a')] }, 'Updates are held back by a since 10:02 UTC, until 10:07 UTC at the latest.'],
  ['held by two', { ...held, leases: [recorder, makeLease('b')] }, 'Updates are held back by recorder (recording) and b since 10:02 UTC, until 10:07 UTC at the latest.'],
  ['held by three', { ...held, leases: ['a', 'b', 'c'].map((name) => makeLease(name)) }, 'Updates are held back by a, b and c since 10:02 UTC, until 10:07 UTC at the latest.'],
  ['held by five', { ...held, leases: ['a', 'b', 'c', 'd', 'e'].map((name) => makeLease(name)) }, 'Updates are held back by a, b, c and 2 more since 10:02 UTC, until 10:07 UTC at the latest.'],
  ['held until a window opens', { ...held, expiresAtMs: null, leases: [opening, makeLease('a', { endsAtMs: TEN + 7 * MINUTE })] }, 'Updates are held back by @opening and a since 10:02 UTC, until the window opens at 10:10 UTC.'],
  ['held beyond the opening of a window', { ...held, expiresAtMs: null, leases: [opening, makeLease('a', { endsAtMs: TEN + 12 * MINUTE })] }, 'Updates are held back by @opening and a since 10:02 UTC, until 10:12 UTC at the latest.'],
  ['held by two without an end', { ...held, expiresAtMs: null, leases: [opening, makeLease('a', { kind: 'connection', endsAtMs: null })] }, 'Updates are held back by @opening and a since 10:02 UTC, until all of them let go.'],
  ['held without an end', { ...held, expiresAtMs: null }, 'Updates are held back by recorder (recording) since 10:02 UTC, until it is released.'],
  ['held since another day', { ...held, sinceMs: TEN - 86_400_000 }, 'Updates are held back by recorder (recording) since 2026-04-30 10:00 UTC, until 10:07 UTC at the latest.'],
  ['held beyond midnight', { ...held, expiresAtMs: TEN + 20 * 3_600_000 }, 'Updates are held back by recorder (recording) since 10:02 UTC, until 2026-05-02 06:00 UTC at the latest.'],
  ['free', {}, 'Nothing holds back updates.'],
  ['of the Supervisor', { state: 'updating', refusal: fromStanding(found('supervisor')) }, 'An update is being applied: the balena Supervisor holds the lock (/l/updates.lock).'],
  ["somebody else's", { state: 'foreign', refusal: fromStanding(found('foreign')) }, "Updates are held back by somebody else: a file that is not the sidecar's holds the lock: /l/updates.lock. The program that made it has to remove it."],
  ['just lost', { state: 'cooldown', refusal: { code: 'cooldown', detail: '', retryAfterMs: 15 * MINUTE } }, 'The lock was just taken away from outside, so an update can get through; leases are granted again from 10:18 UTC.'],
  ['not to be had', { state: 'unavailable', refusal: cannotLock('the file system is full') }, 'Nobody can hold back updates now: the lock cannot be taken: the file system is full.'],
])('a lock that is %s is put into one sentence', (_, status, sentence) => {
  expect(say(status)).toBe(sentence);
});

const NOTHING: UpdateStatus = { ...NOT_CONFIGURED, supervisor: 'reachable' };
const WAITS: UpdateStatus = { ...NOTHING, failed: true, waiting: [{ what: 'release', sinceMs: TEN + MINUTE }] };
const REBOOT: UpdateStatus = { ...NOTHING, waiting: [{ what: 'reboot', sinceMs: TEN + 2 * MINUTE }] };
const BOTH: UpdateStatus = { ...NOTHING, waiting: [...WAITS.waiting, ...REBOOT.waiting] };
const DOWNLOADING: UpdateStatus = { ...NOTHING, downloading: true };
const GONE = { supervisor: 'unreachable', problem: 'connect ECONNREFUSED' } as const;
const byRecorder = 'held back by recorder (recording) since 10:02 UTC, until 10:07 UTC at the latest';
const windowToo: Partial<LockStatus> = { ...held, expiresAtMs: null, leases: [makeLease('@window', { kind: 'builtin', endsAtMs: null }), recorder] };
const windowOnly: Partial<LockStatus> = { ...windowToo, leases: windowToo.leases?.slice(0, 1) ?? [] };

test.each<[string, Partial<LockStatus>, UpdateStatus, boolean, string]>([
  ['held, and nothing waits', held, NOTHING, false, `Updates are ${byRecorder}; none is waiting now.`],
  ['held, and one is downloaded', held, DOWNLOADING, false, `Updates are ${byRecorder}; one is being downloaded.`],
  ['held, and one waits', held, WAITS, false, `An update has been waiting since 10:01 UTC; it is ${byRecorder}.`],
  ['held, and a newer one is downloaded', held, { ...WAITS, waiting: [], downloading: true }, false, `Updates are ${byRecorder}; one is being downloaded.`],
  ['held, and nothing can be known', held, { ...NOTHING, ...GONE }, false, `Updates are ${byRecorder}; whether one waits is not known, since the Supervisor cannot be reached (connect ECONNREFUSED).`],
  ['held, and one waits, as far as is known', held, { ...WAITS, ...GONE }, false, `An update has been waiting since 10:01 UTC; it is ${byRecorder}, though the Supervisor cannot be reached now.`],
  ['held while apps are drained', held, WAITS, true, 'An update has been waiting since 10:01 UTC, which is long enough: recorder (recording) must let go now.'],
  ['held for a window too while apps are drained', windowToo, WAITS, true, 'An update has been waiting since 10:01 UTC, which is long enough: recorder (recording) must let go now.'],
  ['held for a window after apps were drained', windowOnly, WAITS, true, 'An update has been waiting since 10:01 UTC; it is held back by @window since 10:02 UTC, until it is released.'],
  ['free, and nothing waits', {}, NOTHING, false, 'Nothing holds back updates; none is waiting now.'],
  ['free, and one is downloaded', {}, DOWNLOADING, false, 'Nothing holds back updates; one is being downloaded.'],
  ['free, and one waits', {}, WAITS, false, 'Nothing holds back the update that has been waiting since 10:01 UTC: the Supervisor starts it by itself.'],
  ['free, and one waits, as far as is known', {}, { ...WAITS, ...GONE }, false, 'Nothing holds back the update that has been waiting since 10:01 UTC: the Supervisor starts it by itself, though the Supervisor cannot be reached now.'],
  ['held, and a reboot waits', held, REBOOT, false, `A reboot of the host OS has been waiting since 10:02 UTC; it is ${byRecorder}.`],
  ['held, and a release and a reboot wait', held, BOTH, false, `An update and a reboot of the host OS have been waiting since 10:01 UTC; they are ${byRecorder}.`],
  ['free, and a reboot waits', {}, REBOOT, false, 'Nothing holds back the reboot of the host OS that has been waiting since 10:02 UTC: the host tries it every few seconds.'],
  ['free, and a release and a reboot wait', {}, BOTH, false, 'Nothing holds back updates; an update and a reboot of the host OS have been waiting since 10:01 UTC.'],
  ['free, and nothing can be known', {}, { ...NOTHING, ...GONE }, false, 'Nothing holds back updates; whether one waits is not known, since the Supervisor cannot be reached (connect ECONNREFUSED).'],
  ['free while apps are drained', {}, WAITS, true, 'Nothing holds back the update that has waited long enough; apps get no lease until it has come.'],
])('an update lock that is %s is put into one sentence', (_, status, update, isDraining, sentence) => {
  expect(say(status, update, isDraining)).toBe(sentence);
});

test('a drain says when it ends the leases of apps', () => {
  expect(say(windowToo, WAITS, true, 'UTC', TEN + 4 * MINUTE)).toBe('An update has been waiting since 10:01 UTC, which is long enough: recorder (recording) must let go by 10:04 UTC.');
});

test.each([
  [0, ''],
  [59, ''],
  [60, ' for a minute'],
  [119, ' for a minute'],
  [240, ' for 4 minutes'],
  [3600, ' for 60 minutes'],
  [7200, ' for 2 hours'],
  [-3600, ''],
])('an update that has been applied for %i s', (seconds, forHowLong) => {
  const path = found('supervisor', { agoMs: seconds * 1000 });
  expect(say({ state: 'updating', refusal: fromStanding(path), paths: [path] }, WAITS, true)).toBe(
    `An update is being applied${forHowLong}: the balena Supervisor holds the lock (/l/updates.lock).`,
  );
});

const FOREIGN = "Updates are held back by somebody else: a file that is not the sidecar's holds the lock: /l/updates.lock.";
const OLD_SUPERVISORS = 'It belongs to root and is empty, so it may be that of a Supervisor before 13.1, which removes it after its update.';
const NOBODYS = 'No process holds its flock: a program that locks by flock may have left it behind, and then somebody has to remove it.';

test.each<[string, FoundPath, string]>([
  ['a file that was not tested', found('foreign', { agoMs: 10 * MINUTE }), `${FOREIGN} The program that made it has to remove it.`],
  ['a directory', { ...found('foreign'), file: null }, `${FOREIGN} The program that made it has to remove it.`],
  ["root's, with content", found('foreign', { uid: 0 }), `${FOREIGN} The program that made it has to remove it.`],
  ["root's, empty", found('foreign', { uid: 0, isEmpty: true }), `${FOREIGN} ${OLD_SUPERVISORS}`],
  ['empty, of another user', found('foreign', { isEmpty: true }), `${FOREIGN} The program that made it has to remove it.`],
  ['left behind', found('foreign', { isLeftBehind: true, agoMs: 180 * MINUTE }), `${FOREIGN} It belongs to user 1000. ${NOBODYS} It was last written 3 hours ago.`],
  ['left behind by root', found('foreign', { uid: 0, isLeftBehind: true, agoMs: 2 * MINUTE }), `${FOREIGN} It belongs to root. ${NOBODYS} It was last written 2 minutes ago.`],
  ["root's, empty, left behind", found('foreign', { uid: 0, isEmpty: true, isLeftBehind: true, agoMs: MINUTE }), `${FOREIGN} ${OLD_SUPERVISORS} ${NOBODYS} It was last written a minute ago.`],
  ['left behind, of a time to come', found('foreign', { isLeftBehind: true, agoMs: -MINUTE }), `${FOREIGN} It belongs to user 1000. ${NOBODYS}`],
  ['a stale one of Helios', found('helios', { uid: 0, isLeftBehind: true, agoMs: 5 * MINUTE }), 'Updates are held back by somebody else: a stale file of Helios holds the lock: /l/updates.lock. No process holds its flock, so no update is being applied. It stays until Helios takes it over or somebody removes it. It was last written 5 minutes ago.'],
])("somebody else's file: %s", (_, path, sentence) => {
  expect(say({ state: 'foreign', refusal: fromStanding(path), paths: [path] })).toBe(sentence);
});

test('what is wrong with the Supervisor reaches no terminal', () => {
  // eslint-disable-next-line no-control-regex
  expect(say(held, { ...NOTHING, ...GONE, problem: '\u001b[2J\u202e\n\r' })).not.toMatch(/[\u0000-\u001f\u202e]/);
});

test('what an app gives as its reason reaches no terminal', () => {
  // eslint-disable-next-line no-control-regex
  expect(say({ ...held, leases: [makeLease('a', { reason: '\u001b[2J\u202e\n\r' })] })).not.toMatch(/[\u0000-\u001f\u202e]/);
});
