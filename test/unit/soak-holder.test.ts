import type { SidecarEvent } from '../../sidecar/events/event';
import { describe as tell } from '../../sidecar/events/event-texts';
import { Allowances } from '../../sidecar/holders/allowances';
import { SoakHolder } from '../../sidecar/holders/soak/soak-holder';
import { LeasePolicies } from '../../sidecar/leases/policies';
import type { WaitingKind } from '../../sidecar/leases/waiting';
import { ObligingKeeper } from './obliging-keeper';

const START = Date.UTC(2030, 5, 3, 12);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** With this the wall clock reads a time before the build. */
const NOT_SET_MS = -2 * START;

let keeper: ObligingKeeper;
let files: Map<string, unknown>;
let writes: number;
let events: SidecarEvent[];
let policies: LeasePolicies;
let isAllowed: boolean;
let soak: SoakHolder;
/** By how much the wall clock is ahead of what has passed since the start; when the device booted. */
let wallOffsetMs: number;
let bootedAtMs: number;
let boot: string;

function start(): void {
  const clock = { monotonicMs: () => Date.now() - bootedAtMs, wallMs: () => Date.now() + wallOffsetMs };
  keeper = new ObligingKeeper();
  policies = new LeasePolicies();
  const allowances = new Allowances();
  allowances.add(() => (isAllowed ? { by: 'tag', reason: '', untilWallMs: Infinity } : null));
  const state = {
    read: <T>(name: string, parse: (json: unknown) => T | null): T | null => (files.has(name) ? parse(files.get(name)) : null),
    write: (name: string, value: object): void => {
      writes += 1;
      files.set(name, JSON.parse(JSON.stringify(value)));
    },
  };
  soak = new SoakHolder({ requiredMs: 24 * HOUR_MS, clock, boot, keeper, policies, allowances, state, emit: (event) => { events.push(event); } });
  soak.onEvent({ type: 'store-opened' });
}

/** The Supervisor has said so. */
function says(target: string | null, waiting: WaitingKind[] = [], runs: string | null = 'aaaaaaaa'): void {
  soak.receive({ ok: true, target, runs, waiting });
}

const reason = (): string | undefined => keeper.get('@soak')?.reason;
const end = (): unknown => policies.of('@soak').end();
const told = (): string[] => events.map(({ type }) => type);

beforeEach(() => {
  jest.useFakeTimers({ now: START });
  [files, events, writes, isAllowed] = [new Map(), [], 0, false];
  [wallOffsetMs, bootedAtMs, boot] = [0, START - HOUR_MS, 'first'];
  start();
});
afterEach(() => {
  soak.close();
  jest.useRealTimers();
});

test('a soak ends by itself, without anybody asking', () => {
  says('aaaaaaaa');
  expect([reason(), end()]).toEqual(['a release has to soak for 1d first', { atWallMs: null, event: 'a release has soaked for 1d' }]);
  says('bbbbbbbb', ['release']);
  expect([reason(), end()]).toEqual(['release bbbbbbb soaks for 1d', { atWallMs: START + 24 * HOUR_MS, event: 'the soak ends' }]);
  jest.advanceTimersByTime(24 * HOUR_MS - 1);
  expect(reason()).toBeDefined();
  jest.advanceTimersByTime(1);
  expect(reason()).toBeUndefined();
  expect(events).toEqual([{ type: 'soak-began', commit: 'bbbbbbbb', forMs: 24 * HOUR_MS }, { type: 'soak-over', commit: 'bbbbbbbb' }]);
  says('bbbbbbbb', [], 'bbbbbbbb');
  expect(reason()).toBe('a release has to soak for 1d first');
});

test('a release that has waited is no reason to let go before it can be applied', () => {
  says('bbbbbbbb');
  jest.advanceTimersByTime(24 * HOUR_MS);
  expect(reason()).toBe('a release has to soak for 1d first');
  says('bbbbbbbb', ['release']);
  expect(reason()).toBeUndefined();
});

describe('without an answer', () => {
  test('it holds the lock for a quarter of an hour, and then lets go and says so', () => {
    expect([reason(), end()]).toEqual([
      'the Supervisor has not said yet which release the device is to have', { atWallMs: null, event: 'it does, or 15 minutes have passed' },
    ]);
    soak.receive({ ok: false, problem: 'connect ECONNREFUSED', isTooOld: false });
    expect(reason()).toBe('the Supervisor does not say which release the device is to have');
    expect(soak.problem()).toBeNull();
    jest.advanceTimersByTime(15 * MINUTE_MS - 1);
    expect(reason()).toBeDefined();
    jest.advanceTimersByTime(1);
    expect(reason()).toBeUndefined();
    expect(soak.problem()).toBe('Releases do not soak: the Supervisor does not say which one the device is to have (connect ECONNREFUSED).');
    expect(events).toEqual([{ type: 'soak-missed', problem: 'connect ECONNREFUSED' }]);
    says('aaaaaaaa');
    expect([reason(), soak.problem()]).toEqual(['a release has to soak for 1d first', null]);
    expect(told()).toEqual(['soak-missed', 'soak-reached']);
  });

  test('one that is too old lets go at once, says so, and soaks no release that it knows', () => {
    says('bbbbbbbb', ['release']);
    soak.receive({ ok: false, problem: 'that needs Supervisor 16.2 or later, and this is 16.1.9', isTooOld: true });
    expect([reason(), soak.problem()]).toEqual([undefined, 'Releases do not soak: that needs Supervisor 16.2 or later, and this is 16.1.9.']);
    says('bbbbbbbb', ['release']);
    expect([reason(), soak.problem()]).toEqual(['release bbbbbbb soaks for 1d', null]);
  });

  test('one that does not even refuse is the same', () => {
    jest.advanceTimersByTime(15 * MINUTE_MS);
    expect([reason(), told()]).toEqual([undefined, ['soak-missed']]);
  });

  test('a release whose end is known soaks until then', () => {
    says('bbbbbbbb', ['release']);
    soak.receive({ ok: false, problem: 'connect ECONNREFUSED', isTooOld: false });
    jest.advanceTimersByTime(24 * HOUR_MS - 1);
    expect(reason()).toBe('release bbbbbbb soaks for 1d');
    jest.advanceTimersByTime(1);
    expect(reason()).toBeUndefined();
  });

  test('a Supervisor that is slow while it may be applying a release gets in no quarrel over the lock', () => {
    says('bbbbbbbb', ['release']);
    jest.advanceTimersByTime(24 * HOUR_MS);
    soak.receive({ ok: false, problem: 'it did not answer within 10 s', isTooOld: false });
    jest.advanceTimersByTime(MINUTE_MS);
    expect(reason()).toBeUndefined();
  });

  test('a release that it does not name is not taken for the one before', () => {
    says('aaaaaaaa');
    soak.receive({ ok: false, problem: 'error 500', isTooOld: false });
    jest.advanceTimersByTime(15 * MINUTE_MS - 1);
    expect(reason()).toBe('the Supervisor does not say which release the device is to have');
  });
});

test('it is asked for the target whenever that may not be the release that runs', () => {
  expect(soak.isTargetWanted('aaaaaaaa')).toBe(true);
  says('aaaaaaaa');
  expect([soak.isTargetWanted('aaaaaaaa'), soak.isTargetWanted(null), soak.isTargetWanted('bbbbbbbb')]).toEqual([false, false, true]);
  // Right after a boot nothing is pending yet.
  says('bbbbbbbb', ['release']);
  expect(soak.isTargetWanted('aaaaaaaa')).toBe(true);
});

test('the count of a device whose clock is not set is written down now and then, and goes on after a reboot', () => {
  wallOffsetMs = NOT_SET_MS;
  says('bbbbbbbb', ['release']);
  expect([writes, end()]).toEqual([1, { atWallMs: null, event: 'the soak ends' }]);
  jest.advanceTimersByTime(HOUR_MS - 1);
  expect(writes).toBeLessThanOrEqual(6);
  // As if the power had failed: nothing is written at the end.
  const kept = new Map(files);
  soak.close();
  files = kept;
  // What was before this start is not known to have been a wait.
  [boot, bootedAtMs] = ['second', Date.now() - 5 * HOUR_MS];
  start();
  says('bbbbbbbb', ['release']);
  jest.advanceTimersByTime(23 * HOUR_MS);
  expect(reason()).toBeDefined();
  jest.advanceTimersByTime(10 * MINUTE_MS);
  expect(reason()).toBeUndefined();
});

test('a stop in good order loses nothing', () => {
  wallOffsetMs = NOT_SET_MS;
  says('bbbbbbbb', ['release']);
  jest.advanceTimersByTime(5 * MINUTE_MS);
  soak.close();
  expect(files.get('soak')).toMatchObject({ version: 1, soak: { target: 'bbbbbbbb', onMs: 5 * MINUTE_MS } });
});

test('while nothing soaks nothing is written', () => {
  says('aaaaaaaa');
  jest.advanceTimersByTime(24 * HOUR_MS);
  expect(writes).toBe(1);
});

test('a clock that is set is noticed, and the time before counts', () => {
  wallOffsetMs = NOT_SET_MS;
  says('bbbbbbbb', ['release']);
  jest.advanceTimersByTime(HOUR_MS);
  wallOffsetMs = 0;
  jest.advanceTimersByTime(MINUTE_MS);
  expect(end()).toEqual({ atWallMs: START + 24 * HOUR_MS, event: 'the soak ends' });
  wallOffsetMs = 24 * HOUR_MS;
  soak.look();
  expect(reason()).toBeUndefined();
});

test('an allowance lets releases through while it lasts', () => {
  says('bbbbbbbb', ['release']);
  isAllowed = true;
  soak.onEvent({ type: 'allowance-changed' });
  expect(reason()).toBeUndefined();
  isAllowed = false;
  soak.onEvent({ type: 'allowance-changed' });
  expect(reason()).toBe('release bbbbbbb soaks for 1d');
});

test('only a reboot that waits alone need not wait', () => {
  says('aaaaaaaa', ['reboot']);
  expect(reason()).toBeUndefined();
  says('bbbbbbbb', ['release', 'reboot']);
  expect(reason()).toBe('release bbbbbbb soaks for 1d');
});

test('it survives a drain, and the deadline does not count meanwhile', () => {
  expect(policies.of('@soak')).toMatchObject({ survivesDrain: true, deadline: 'pauses' });
});

test.each([
  null, 5, {}, { version: 2 }, { version: 1 }, { version: 1, soak: null }, { version: 1, soak: {} },
  { version: 1, soak: { target: 'b', runs: 'a', restarts: -1, firstSeenWallMs: null, onMs: 0, countedAt: { boot: '', monotonicMs: 0 } } },
  { version: 1, soak: { target: 'b', runs: 'a', restarts: 0, firstSeenWallMs: 'x', onMs: 0, countedAt: { boot: '', monotonicMs: 0 } } },
  { version: 1, soak: { target: 'b', runs: 'a', restarts: 0, firstSeenWallMs: null, onMs: 0, countedAt: null } },
])('of a file with %j nothing is known', (stored) => {
  files.set('soak', stored);
  start();
  says('bbbbbbbb', ['release']);
  expect(end()).toEqual({ atWallMs: START + 24 * HOUR_MS, event: 'the soak ends' });
});

test('log and history tell of it', () => {
  expect(tell({ type: 'soak-began', commit: 'bbbbbbbbbb', forMs: 24 * HOUR_MS })).toMatchObject({
    message: 'release soaks', fields: { commit: 'bbbbbbbbbb', for: '1d' }, history: { text: 'Release bbbbbbb has to wait for 1d before it may be applied' },
  });
  expect(tell({ type: 'soak-missed', problem: 'error 500' })).toMatchObject({ level: 'warn', history: { detail: 'error 500' } });
});
