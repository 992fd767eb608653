import { AllowedTimes, type WindowStatus } from '../../sidecar/holders/windows/allowed-times';
import { readFreezes, readWindows } from '../../sidecar/holders/windows/time-settings';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function timesOf(windows: string, freezes = ''): AllowedTimes {
  const [readW, readF] = [readWindows(windows), freezes === '' ? null : readFreezes(freezes)];
  if (!readW.ok || readF?.ok === false) throw new Error('the test is wrong');
  return new AllowedTimes({ windows: readW.value, freezes: readF?.value ?? null, timeZone: 'UTC' });
}

interface Moment {
  readonly times: AllowedTimes;
  readonly at: string;
  /** Minutes since the boot. */
  readonly up: number;
  readonly isClockSet?: boolean;
}

function statusAt({ times, at, up, isClockSet = true }: Moment): WindowStatus {
  return times.at({ wallMs: Date.parse(at), monotonicMs: up * MINUTE, isClockSet });
}

const at = (iso: string): number => Date.parse(iso);

describe('after the boot', () => {
  test('it is open for that time, and no longer', () => {
    const times = timesOf('boot+10m');
    expect(statusAt({ times, at: '2030-06-03T12:04Z', up: 4 })).toMatchObject({
      isOpen: true, closedBy: null, opensAtWallMs: null, closesAtWallMs: at('2030-06-03T12:10Z'), changesInMs: 6 * MINUTE,
    });
    expect(statusAt({ times, at: '2030-06-03T12:09:59.999Z', up: 10 - 1 / MINUTE })).toMatchObject({ isOpen: true, changesInMs: 1 });
    expect(statusAt({ times, at: '2030-06-03T12:10Z', up: 10 })).toMatchObject({
      isOpen: false, closedBy: 'time', opensAtWallMs: null, closesAtWallMs: null, opensAtBoot: true, changesInMs: null,
    });
  });

  test('it is open whatever the clock reads', () => {
    const times = timesOf('boot+10m; 02:00-04:00');
    const status = (up: number): WindowStatus => statusAt({ times, at: '1970-01-01T03:00Z', up, isClockSet: false });
    expect(status(4)).toMatchObject({ isOpen: true, closedBy: null, opensAtWallMs: null, closesAtWallMs: null, changesInMs: 6 * MINUTE });
    expect(status(10)).toMatchObject({ isOpen: false, closedBy: 'clock', opensAtWallMs: null, closesAtWallMs: null, changesInMs: null });
  });

  test('the longest of several counts', () => {
    expect(statusAt({ times: timesOf('boot+10m; boot+1h; boot+30m'), at: '2030-06-03T12:00Z', up: 31 })).toMatchObject({ isOpen: true, changesInMs: 29 * MINUTE });
  });

  test.each([
    ['goes over into it', '2030-06-03T01:55Z', 4, '2030-06-03T04:00Z'],
    ['lies in it', '2030-06-03T03:00Z', 4, '2030-06-03T04:00Z'],
    ['goes on after it', '2030-06-03T03:55Z', 4, '2030-06-03T04:01Z'],
    ['ends where it begins', '2030-06-03T01:54Z', 4, '2030-06-03T04:00Z'],
  ])('with another window that it touches it is one: it %s', (_, now, up, closes) => {
    const times = timesOf('boot+10m; 02:00-04:00');
    expect(statusAt({ times, at: now, up })).toMatchObject({ isOpen: true, opensAtWallMs: null, closesAtWallMs: at(closes) });
  });

  test('the next opening is that of another window', () => {
    const times = timesOf('boot+10m; 02:00-04:00');
    expect(statusAt({ times, at: '2030-06-03T12:00Z', up: 10 })).toMatchObject({
      isOpen: false, closedBy: 'time', opensAtWallMs: at('2030-06-04T02:00Z'), closesAtWallMs: at('2030-06-04T04:00Z'), changesInMs: 14 * HOUR,
    });
  });
});

describe('a freeze, with a clock that is set, closes what would be open after the boot', () => {
  const times = timesOf('boot+10m', '2030-06-03');

  test.each<[string, number, Partial<WindowStatus>]>([
    ['2030-06-03T12:00Z', 4, { isOpen: false, closedBy: 'freeze', isFrozen: true, opensAtWallMs: null }],
    ['2030-06-02T23:58Z', 4, { isOpen: true, closesAtWallMs: at('2030-06-03T00:00Z') }],
    ['2030-06-03T23:58Z', 4, { isOpen: false, closedBy: 'freeze', opensAtWallMs: at('2030-06-04T00:00Z'), closesAtWallMs: at('2030-06-04T00:04Z') }],
    ['2030-06-04T00:01Z', 7, { isOpen: true, closesAtWallMs: at('2030-06-04T00:04Z') }],
  ])('at %s, %i minutes after the boot', (now, up, expected) => {
    expect(statusAt({ times, at: now, up })).toMatchObject(expected);
  });

  test('without one nobody can know which day it is', () => {
    expect(statusAt({ times, at: '1970-01-01T00:00Z', up: 4, isClockSet: false })).toMatchObject({ isOpen: true, isFrozen: false });
  });
});

test.each([true, false])('never is never, whatever clock (set: %s) and freezes say', (isClockSet) => {
  const times = timesOf('never', '2030-06-03');
  const status = statusAt({ times, at: '2030-06-03T12:00Z', up: 0, isClockSet });
  expect(status).toMatchObject({ isOpen: false, closedBy: 'never', opensAtWallMs: null, closesAtWallMs: null, opensAtBoot: false, changesInMs: null });
});

test('walking from change to change finds what a look each minute shows', () => {
  const times = timesOf('boot+3h; 00:30-01:00; 02:15-02:45; 23:00-23:10', '2030-06-03; 2030-06-05');
  for (const boot of ['2030-06-01T22:10Z', '2030-06-02T21:30Z', '2030-06-03T22:50Z', '2030-06-04T00:00Z', '2030-06-04T23:05Z']) {
    const bootMs = at(boot);
    const isOpen = (ms: number): boolean => times.at({ wallMs: ms, monotonicMs: ms - bootMs, isClockSet: true }).isOpen;
    const looked: [number, boolean][] = [];
    for (let ms = bootMs; ms < bootMs + 3 * 24 * HOUR; ms += MINUTE) if (looked.at(-1)?.[1] !== isOpen(ms)) looked.push([ms, isOpen(ms)]);
    const walked: [number, boolean][] = [];
    for (let ms: number | null = bootMs; ms !== null && ms < bootMs + 3 * 24 * HOUR; ) {
      const status: WindowStatus = times.at({ wallMs: ms, monotonicMs: ms - bootMs, isClockSet: true });
      walked.push([ms, status.isOpen]);
      ms = status.isOpen ? status.closesAtWallMs : status.opensAtWallMs;
    }
    expect([boot, walked]).toEqual([boot, looked]);
    expect(looked.length).toBeGreaterThan(3);
  }
});
