import fc from 'fast-check';
import { readRebootJournal, type JournalSays } from '../../sidecar/supervisor/reboot-journal';
import { afterJournal, NO_REBOOT, ownPath, type RebootStatus } from '../../sidecar/supervisor/reboot-status';

const OURS = '/tmp/balena-supervisor/services/1/main/updates.lock';
const OTHERS = '/tmp/balena-supervisor/services/1/kiosk/updates.lock';
const line = (message: string): string => `1795748720.155476 d1a5b1b safe_reboot[77]: ${message}\n`;
const GOES_ON: JournalSays = { kind: 'goes-on', atWallMs: 1_795_748_720_155.476 };
const waits = (path: string): JournalSays => ({ kind: 'waits', path, atWallMs: 1_795_748_720_155.476 });

describe('the answer of the journal', () => {
  test.each<[string, string, JournalSays | null]>([
    ['with the text of safe_reboot', line(`[safe_reboot][WARN] ${OURS} exists, busy waiting on unlocking for reboot.`), waits(OURS)],
    ['with its text of before', line(`${OURS} exists, busy waiting on unlocking for reboot.`), waits(OURS)],
    ['without a process number', `1795748720 d1a5b1b safe_reboot: ${OURS} exists, busy waiting on unlocking for reboot.`, { ...waits(OURS), atWallMs: 1_795_748_720_000 } as JournalSays],
    ['after a remark of journalctl', `-- Journal begins at Sun 2022-08-07 20:50:50 UTC. --\n${line(`${OURS} exists, busy waiting on unlocking for reboot.`)}`, waits(OURS)],
    ['that ends with a reboot', line(`${OURS} exists, busy waiting on unlocking for reboot.`) + line('[safe_reboot][INFO] Rebooting now...'), GOES_ON],
    ['that says that there is no lock', line('[safe_reboot][INFO] No user service lock exists.'), GOES_ON],
    ['that says that the lock is overridden', line('[safe_reboot][INFO] Override lock detected'), GOES_ON],
    ['that says that it is about to look', line('[safe_reboot][INFO] Checking all user services for present locks...'), { kind: 'unclear' }],
    ['that says that it cannot look for an override', line('[safe_reboot][INFO] No target state config dump found, cannot check for override lock.'), { kind: 'unclear' }],
    ['without entries', '-- No entries --\n', { kind: 'waits-not' }],
    ['of an empty text', '', { kind: 'unclear' }],
    ['of another program', `1795748720.1 d1a5b1b sshd[77]: ${OURS} exists, busy waiting on unlocking for reboot.`, null],
    ['in another format', `Aug 07 21:13:21 d1a5b1b safe_reboot[77]: ${OURS} exists, busy waiting on unlocking for reboot.`, null],
    ['of a web page', '<html><body>502 Bad Gateway</body></html>', null],
    ['of an object', '{"status":"success"}', null],
  ])('%s', (_, text, says) => {
    expect(readRebootJournal(text)).toEqual(says);
  });

  test('of any text is understood, or not, in no time', () => {
    fc.assert(fc.property(fc.string({ maxLength: 65_536 }), (text) => {
      const startedMs = performance.now();
      readRebootJournal(text);
      readRebootJournal(line(`${'/a'.repeat(text.length / 4)} exists, busy waiting${text}`));
      expect(performance.now() - startedMs).toBeLessThan(1000);
    }), { numRuns: 200 });
  });
});

describe('the status', () => {
  const NOW = { wallMs: 10_000_000, monotonicMs: 5_000_000 };
  const isOurs = ownPath('1', 'main');
  const at = (ageMs: number, path = OURS): JournalSays => ({ kind: 'waits', path, atWallMs: NOW.wallMs - ageMs });
  const WAITING: RebootStatus = { ...NO_REBOOT, waitsSinceMs: 4_000_000 };

  test.each<[string, RebootStatus, JournalSays, RebootStatus]>([
    ['a wait for our lock', NO_REBOOT, at(3000), { ...NO_REBOOT, waitsSinceMs: NOW.monotonicMs - 3000 }],
    ['another line of the same wait', WAITING, at(3000), WAITING],
    ['one nearly ten minutes old', WAITING, at(600_000), WAITING],
    ['one more than ten minutes old', WAITING, at(600_001), NO_REBOOT],
    ['one a little ahead of the clock', NO_REBOOT, at(-60_000), { ...NO_REBOOT, waitsSinceMs: NOW.monotonicMs }],
    ['one of before this boot, while the clock is not set yet', NO_REBOOT, at(-3_600_000), NO_REBOOT],
    ['one that is in the future since the clock was set back', WAITING, at(-3_600_000), WAITING],
    ["a wait for another service's lock", WAITING, at(3000, OTHERS), { ...NO_REBOOT, elsewhere: OTHERS }],
    ['a reboot that goes on', WAITING, { kind: 'goes-on', atWallMs: NOW.wallMs - 3000 }, { ...NO_REBOOT, isUnderWay: true }],
    ['a reboot that has gone on more than ten minutes ago', WAITING, { kind: 'goes-on', atWallMs: NOW.wallMs - 600_001 }, NO_REBOOT],
    ['a journal without attempts', WAITING, { kind: 'waits-not' }, NO_REBOOT],
    ['a line that says neither', WAITING, { kind: 'unclear' }, WAITING],
  ])('after %s', (_, before, says, after) => {
    expect(afterJournal(before, says, NOW, isOurs)).toEqual(after);
  });

  test('after a boot the lines of before say nothing', () => {
    expect(afterJournal(NO_REBOOT, at(30_000), { ...NOW, monotonicMs: 29_000 }, isOurs)).toEqual(NO_REBOOT);
  });

  test.each<[string, string | null, string | null, boolean]>([
    [OURS, '1', 'main', true],
    [OTHERS, '1', 'main', false],
    [OURS, '11', 'main', false],
    [OURS, '1', 'ain', false],
    [OTHERS, null, 'main', true],
    [OTHERS, '1', null, true],
  ])('%s for app %s and service %s', (path, app, service, expected) => {
    expect(ownPath(app, service)(path)).toBe(expected);
  });
});
