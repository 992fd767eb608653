import type { Reading } from '../../sidecar/supervisor/reading';
import { afterFailure, afterReading, differs, NEVER_ASKED, releaseWaits, type ReleaseStatus } from '../../sidecar/supervisor/release-status';

const NOTHING: Reading = { pending: false, downloaded: false, downloading: false, failed: false, isBehindHelios: false, version: null, os: null, runs: null, target: null };
const PENDING: Reading = { ...NOTHING, pending: true };
const LOCKED: Reading = { ...PENDING, failed: true, downloaded: true };
const DOWNLOADING: Reading = { ...PENDING, downloading: true };
const MISSED = 'missed';

/** What is known after these, at 1000, 2000 and so on. */
function after(readings: readonly (Reading | typeof MISSED)[], isHeld: boolean): ReleaseStatus {
  return readings.reduce<ReleaseStatus>(
    (status, reading, index) => (reading === MISSED ? afterFailure(status, 'gone') : afterReading(status, reading, (index + 1) * 1000, isHeld)),
    NEVER_ASKED,
  );
}

test.each<[string, readonly (Reading | typeof MISSED)[], boolean, number | null]>([
  ['nothing', [NOTHING], true, null],
  ['one reading: the Supervisor may merely poll', [PENDING], true, null],
  ['two readings', [PENDING, PENDING], true, 1000],
  ['two readings, nothing held', [PENDING, PENDING], false, 1000],
  ['two readings with another in between', [PENDING, NOTHING, PENDING], true, null],
  ['two readings with none in between', [PENDING, MISSED, PENDING], true, null],
  ['one that has failed because of the lock', [LOCKED], true, 1000],
  ['one that has failed, but not because of the lock', [LOCKED], false, null],
  ['two that have failed, but not because of the lock', [LOCKED, LOCKED], false, 1000],
  ['a failure of old, and nothing pending', [{ ...NOTHING, failed: true }], true, null],
  ['a download', [DOWNLOADING, DOWNLOADING], true, null],
  ['what failed while it is downloaded', [{ ...LOCKED, downloading: true }], true, null],
  ['a download that has ended', [DOWNLOADING, LOCKED], true, 2000],
  ['a newer one that is downloaded while one waits', [LOCKED, DOWNLOADING], true, 1000],
  ['the same, downloaded', [LOCKED, DOWNLOADING, LOCKED], true, 1000],
  ['one that went away while it was downloaded', [LOCKED, DOWNLOADING, NOTHING], true, null],
  ['one that has come', [LOCKED, NOTHING], true, null],
  ['no answer since', [LOCKED, MISSED], true, 1000],
  ['an answer again', [LOCKED, MISSED, LOCKED], true, 1000],
])('after %s', (_, readings, isHeld, since) => {
  expect(after(readings, isHeld).waitsSinceMs).toBe(since);
});

test.each<[string, readonly (Reading | typeof MISSED)[], boolean]>([
  ['waits', [LOCKED], true],
  ['is downloaded', [LOCKED, DOWNLOADING], false],
  ['waits, as far as is known', [LOCKED, MISSED], true],
  ['does not wait', [NOTHING], false],
])('one that %s is pending: %#', (_, readings, pending) => {
  expect(releaseWaits(after(readings, true))).toBe(pending);
});

test('what cannot be reached says why, and keeps what was known', () => {
  expect(after([LOCKED, MISSED], true)).toMatchObject({ supervisor: 'unreachable', problem: 'gone', readAtMs: 1000, downloaded: true, failed: true });
});

test.each<[string, ReleaseStatus, ReleaseStatus, boolean]>([
  ['nothing', after([LOCKED], true), after([LOCKED], true), false],
  ['when it was read', after([NOTHING], true), after([NOTHING, NOTHING], true), false],
  ['a first sight of an update', after([NOTHING], true), after([PENDING], true), false],
  ['why it cannot be reached', afterFailure(NEVER_ASKED, 'a'), afterFailure(NEVER_ASKED, 'b'), false],
  ['that it cannot be reached', after([NOTHING], true), after([NOTHING, MISSED], true), true],
  ['that an update waits', after([NOTHING], true), after([NOTHING, LOCKED], true), true],
  ['that it is downloaded', after([NOTHING], true), after([DOWNLOADING], true), true],
])('somebody is told of %s: %#', (_, one, other, isTold) => {
  expect([differs(one, other), differs(other, one)]).toEqual([isTold, isTold]);
});
