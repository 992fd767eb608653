import type { WindowEvent } from '../../sidecar/events/event';
import { Allowances } from '../../sidecar/holders/allowances';
import { readFreezes, readWindows, type TimeSettings } from '../../sidecar/holders/windows/time-settings';
import { BUILT_AT_MS, isClockSet, WindowHolder } from '../../sidecar/holders/windows/window-holder';
import { LeasePolicies } from '../../sidecar/leases/policies';
import { FakeClock } from './fake-clock';
import { ObligingKeeper } from './obliging-keeper';

test('a clock that reads a time before the build has not been set yet', () => {
  const builtAtMs = Date.parse('2026-11-23T06:00:00Z');
  expect([0, builtAtMs - 1, builtAtMs, builtAtMs + 1].map((nowMs) => isClockSet(nowMs, builtAtMs))).toEqual([false, false, true, true]);
});

test('what was not built takes any clock for set', () => {
  expect(BUILT_AT_MS).toBe(0);
  expect(isClockSet(0)).toBe(true);
});

function times(windows: string | null, freezes: string | null = null, timeZone = 'UTC'): TimeSettings {
  const [readW, readF] = [windows === null ? null : readWindows(windows), freezes === null ? null : readFreezes(freezes)];
  if (readW?.ok === false || readF?.ok === false) throw new Error('not times');
  return { windows: readW?.value ?? null, freezes: readF?.value ?? null, timeZone };
}

describe('the settings can be replaced while it runs', () => {
  let holder: WindowHolder;
  let keeper: ObligingKeeper;
  let events: WindowEvent[];

  beforeEach(() => {
    keeper = new ObligingKeeper();
    events = [];
    const clock = new FakeClock(0, Date.UTC(2030, 5, 3, 12));
    holder = new WindowHolder(clock, keeper, new LeasePolicies(), new Allowances(), times(null), (event) => { events.push(event); });
  });
  afterEach(() => { holder.close(); });

  const isHeld = (): boolean => keeper.live.has('@window');

  test('and the lease, the status, the zone and the events follow', () => {
    holder.onEvent({ type: 'store-opened' });
    expect([holder.status(), isHeld()]).toEqual([null, false]);
    holder.setTimes(times('02:00-04:00', null, 'Asia/Tokyo'));
    expect(holder.status()).toMatchObject({ isOpen: false, opensAtWallMs: Date.UTC(2030, 5, 3, 17), timeZone: 'Asia/Tokyo' });
    expect([isHeld(), holder.zone.name]).toEqual([true, 'Asia/Tokyo']);
    holder.setTimes(times('11:00-13:00'));
    expect([holder.status()?.isOpen, isHeld(), holder.zone.name]).toEqual([true, false, 'UTC']);
    holder.setTimes(times('11:00-13:00', '2030-06-03'));
    expect([holder.status()?.isFrozen, isHeld()]).toEqual([true, true]);
    holder.setTimes(times(null));
    expect([holder.status(), isHeld()]).toEqual([null, false]);
    const reasons = ['no update window is open', null, 'updates are frozen today', null];
    expect(events).toEqual(reasons.map((reason) => ({ type: 'window-turned', reason })));
  });

  test('before the lock is opened, which no event tells', () => {
    holder.setTimes(times('02:00-04:00'));
    expect(isHeld()).toBe(false);
    holder.onEvent({ type: 'store-opened' });
    expect([isHeld(), events]).toEqual([true, []]);
  });
});

test('a lease that a former process has held for windows that are not set any more ends', () => {
  const keeper = new ObligingKeeper();
  keeper.acquireWithin({ name: '@window', reason: 'no update window is open' });
  const holder = new WindowHolder(new FakeClock(), keeper, new LeasePolicies(), new Allowances(), times(null), () => undefined);
  holder.onEvent({ type: 'store-opened' });
  expect([...keeper.live.keys()]).toEqual([]);
  holder.close();
});
