import type { Reading } from '../../sidecar/supervisor/reading';
import { ReleaseWatch } from '../../sidecar/supervisor/release-watch';
import type { ReadingResult } from '../../sidecar/supervisor/supervisor-api';
import type { Target } from '../../sidecar/supervisor/target';
import { readingTarget } from '../../sidecar/supervisor/target-reader';
import { TargetWatch, type TargetNews } from '../../sidecar/supervisor/target-watch';
import { NOT_CONFIGURED, type UpdateStatus } from '../../sidecar/supervisor/update-status';
import { CLOCK, FakeSupervisor, NOTHING, pass, PENDING } from './fake-supervisor';

const NAMED: Target = { ok: true, commit: 'bbbb' };

describe('the target is read', () => {
  const asked: (string | null)[] = [];
  const readTarget = (appId: string | null): Promise<Target> => {
    asked.push(appId);
    return Promise.resolve(NAMED);
  };
  const read = (reading: Reading | null, wanted: boolean): Promise<ReadingResult> => {
    asked.length = 0;
    const api = { read: () => Promise.resolve({ ok: true as const, reading }), readTarget };
    return readingTarget(api, { appId: '7', isWanted: () => wanted }).read();
  };

  test.each<[string, Reading | null, boolean, Target | null]>([
    ['while something is pending', PENDING, false, NAMED],
    ['where it is wanted all the same', NOTHING, true, NAMED],
    ['not otherwise', NOTHING, false, null],
  ])('%s', async (_, reading, wanted, target) => {
    expect(await read(reading, wanted)).toEqual({ ok: true, reading: { ...reading, target } });
    expect(asked).toEqual(target === null ? [] : ['7']);
  });

  test('not where Helios is alone, which names none', async () => {
    expect(await read(null, true)).toEqual({ ok: true, reading: null });
    expect(asked).toEqual([]);
  });
});

test('a device on which nothing happens causes one request for the target after the start, and none after that', async () => {
  jest.useFakeTimers();
  const supervisor = new FakeSupervisor();
  let targets = 0;
  const api = {
    read: async (): Promise<ReadingResult> => {
      const result = await supervisor.api.read();
      return result.ok ? { ok: true, reading: { ...NOTHING, runs: 'aaaa' } } : result;
    },
    readTarget: (): Promise<Target> => {
      targets += 1;
      return Promise.resolve({ ok: true, commit: 'aaaa' });
    },
  };
  const reader = readingTarget(api, { appId: null, isWanted: () => targets === 0 });
  const watch = new ReleaseWatch({ api: reader, clock: CLOCK, random: () => 0, pollMs: 30_000, isHeld: () => true, emit: supervisor.emit });
  watch.attend();
  await pass(86_400_000 - 1);
  expect([supervisor.reads.length, targets]).toEqual([2880, 1]);
  watch.close();
  jest.useRealTimers();
});

describe('what is told after a change', () => {
  const REACHABLE: UpdateStatus = { ...NOT_CONFIGURED, supervisor: 'reachable' };

  function tell(status: UpdateStatus, target: Target | null, version = '16.2.0'): TargetNews[] {
    const told: TargetNews[] = [];
    const watch = new TargetWatch({ status, release: { runs: 'aaaa', target, version, os: null }, attendReleases: () => () => undefined }, (news) => { told.push(news); });
    watch.onEvent({ type: 'update-changed', turn: null });
    return told;
  }

  test.each<[string, UpdateStatus, Target | null, TargetNews[]]>([
    ['nothing before the Supervisor has been asked', { ...REACHABLE, supervisor: 'not-asked-yet' }, null, []],
    ['what it has said', { ...REACHABLE, waiting: [{ what: 'release', sinceMs: 5 }] }, NAMED, [{ ok: true, target: 'bbbb', runs: 'aaaa', waiting: ['release'] }]],
    ['that there was no need to ask for the target', REACHABLE, null, [{ ok: true, target: null, runs: 'aaaa', waiting: [] }]],
    ['that it does not answer', { ...REACHABLE, supervisor: 'unreachable', problem: 'it hangs' }, NAMED, [{ ok: false, problem: 'it hangs', isTooOld: false }]],
    ['that it does not name the target', REACHABLE, { ok: false, problem: 'error 500' }, [{ ok: false, problem: 'error 500', isTooOld: false }]],
    ['that Helios is alone', { ...REACHABLE, isSilent: true }, null, [{ ok: false, problem: 'Helios alone does not tell', isTooOld: false }]],
  ])('%s', (_, status, target, news) => {
    expect(tell(status, target)).toEqual(news);
  });

  test('that it is too old', () => {
    expect(tell(REACHABLE, NAMED, '16.1.9')).toEqual([{ ok: false, problem: 'that needs Supervisor 16.2 or later, and this is 16.1.9', isTooOld: true }]);
  });
});
