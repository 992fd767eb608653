import type { SidecarEvent } from '../../sidecar/events/event';
import { Allowances } from '../../sidecar/holders/allowances';
import { TagsHolder } from '../../sidecar/holders/tags/tags-holder';
import { WindowHolder } from '../../sidecar/holders/windows/window-holder';
import type { Lease } from '../../sidecar/leases/lease';
import { LeasePolicies } from '../../sidecar/leases/policies';
import { ObligingKeeper } from './obliging-keeper';

const START = Date.UTC(2030, 5, 3, 12);
const MINUTE_MS = 60_000;

/** Counts how often nobody holds the lock. */
class WatchedKeeper extends ObligingKeeper {
  timesFree = 0;

  override end(name: string): undefined {
    const wasLive = this.live.delete(name);
    if (wasLive && this.live.size === 0) this.timesFree += 1;
  }
}

let keeper: WatchedKeeper;
let files: Map<string, unknown>;
let events: SidecarEvent[];
let allowances: Allowances;
let policies: LeasePolicies;
let windows: WindowHolder;
let tags: TagsHolder;
/** By how much the wall clock is ahead of what has passed since the start. */
let wallOffsetMs: number;

const elapsedMs = (): number => Date.now() - START;

/** Starts, with what a former process has left in the state directory, and in the lock. Updates are always allowed by the settings. */
function start(lease?: Lease): void {
  const clock = { monotonicMs: elapsedMs, wallMs: () => Date.now() + wallOffsetMs };
  keeper = new WatchedKeeper();
  if (lease !== undefined) keeper.live.set(lease.name, lease);
  [events, allowances, policies] = [[], new Allowances(), new LeasePolicies()];
  const emit = (event: SidecarEvent): void => {
    events.push(event);
    for (const part of [windows, tags]) part.onEvent(event);
  };
  const times = { windows: null, freezes: null, timeZone: 'UTC' };
  const state = {
    read: <T>(name: string, parse: (json: unknown) => T | null): T | null => (files.has(name) ? parse(files.get(name)) : null),
    write: (name: string, value: object): void => { files.set(name, JSON.parse(JSON.stringify(value))); },
  };
  windows = new WindowHolder(clock, keeper, policies, allowances, times, emit);
  tags = new TagsHolder({ prefix: 'lock', clock, keeper, policies, allowances, state, windows, times, emit });
  for (const part of [windows, tags]) part.onEvent({ type: 'store-opened' });
}

function stop(): void {
  tags.close();
  windows.close();
}

/** As of another answer of the Supervisor. */
function receive(values: Readonly<Record<string, string>>): void {
  tags.receive(Object.entries(values).map(([name, value]) => ({ name: `lock.${name}`, value })));
}

const holders = (): string[] => [...keeper.live.keys()];
const reasonOf = (name: string): string | undefined => keeper.get(name)?.reason;
const told = (type: SidecarEvent['type']): SidecarEvent[] => events.filter((event) => event.type === type);

beforeEach(() => {
  jest.useFakeTimers({ now: START });
  [files, wallOffsetMs] = [new Map(), 0];
  start();
});
afterEach(() => {
  stop();
  jest.useRealTimers();
});

test('until the first answer the lock is held', () => {
  expect([reasonOf('@tags'), tags.inForce()]).toEqual(['the device tags have not been read yet', 'The device tags have not been read yet.']);
  jest.advanceTimersByTime(15 * MINUTE_MS - 1);
  expect(holders()).toEqual(['@tags']);
  receive({});
  expect([holders(), tags.inForce()]).toEqual([[], 'There are no control tags.']);
});

test('for a quarter of an hour at most, and then not again at the next start', () => {
  jest.advanceTimersByTime(15 * MINUTE_MS);
  expect(holders()).toEqual([]);
  stop();
  start();
  expect(holders()).toEqual([]);
});

test('a process that is started again does not wait for longer in all', () => {
  jest.advanceTimersByTime(10 * MINUTE_MS);
  // Its lease has been there since the start.
  const lease = keeper.get('@tags');
  stop();
  start(lease);
  jest.advanceTimersByTime(5 * MINUTE_MS - 1);
  expect(holders()).toEqual(['@tags']);
  jest.advanceTimersByTime(1);
  expect(holders()).toEqual([]);
});

test('what was read last counts after a restart, from the start on, without an answer', () => {
  receive({ windows: '02:00-04:00', timezone: 'Asia/Tokyo', hold: 'stocktaking' });
  stop();
  start();
  expect([holders(), reasonOf('@tags')]).toEqual([['@window', '@tags'], 'stocktaking']);
  expect(windows.status()).toMatchObject({ isOpen: false, timeZone: 'Asia/Tokyo' });
  receive({ windows: '02:00-04:00', timezone: 'Asia/Tokyo', hold: 'stocktaking' });
  expect(events).toEqual([]);
});

test.each<[string, Record<string, string>, string[]]>([
  ['windows that are closed', { windows: '02:00-04:00' }, ['@window']],
  ['a freeze', { freeze: '2030-06-03' }, ['@window']],
  ['a window that never opens', { windows: '02:00-04:00', freeze: '2000-01-01..9999-12-31' }, ['@window']],
  ['an open window', { windows: '11:00-13:00' }, []],
  ['an open window elsewhere', { windows: '21:00-23:00', timezone: 'Asia/Tokyo' }, []],
  ['a hold', { hold: 'stocktaking' }, ['@tags']],
  ['a hold that has not ended', { hold: 'until 2030-06-03T12:01Z' }, ['@tags']],
  ['a hold that has ended', { hold: 'until 2030-06-03T12:00Z' }, []],
  ['an allow in a closed window', { windows: '02:00-04:00', allow: 'until 2030-06-03T12:01Z' }, []],
  ['an allow that has ended', { windows: '02:00-04:00', allow: 'until 2030-06-03T12:00Z' }, ['@window']],
  ['a hold, which beats an allow', { windows: '02:00-04:00', allow: 'until 2030-06-03T12:01Z', hold: 'no' }, ['@tags']],
])('%s', (_, values, expected) => {
  receive(values);
  expect(holders()).toEqual(expected);
});

test('between any two of these the lock is not free for a moment', () => {
  const held = [{ windows: '02:00-04:00' }, { hold: 'a' }, { hold: 'b' }, { freeze: '2030-06-03' }, { hold: 'until 2031-01-01T00:00Z', allow: 'until 2031-01-01T00:00Z' }];
  for (const from of held) {
    for (const to of held) {
      receive(from);
      receive(to);
      expect(holders()).toHaveLength(1);
    }
  }
  expect(keeper.timesFree).toBe(0);
});

test('a value that cannot be read is told once, and the one before stays; without one before, the setting', () => {
  receive({ windows: '' });
  expect([windows.status(), tags.problem()]).toEqual([null, 'Device tags cannot be read, so their last readable values still count. lock.windows: "" is empty.']);
  receive({ windows: '02:00-04:00', hold: 'stocktaking', timezone: 'Asia/Tokyo' });
  expect(tags.problem()).toBeNull();
  for (let index = 0; index < 3; index += 1) receive({ windows: 'Fry', hold: '', timezone: 'Asia/Tokio' });
  expect([holders(), windows.status()?.timeZone]).toEqual([['@tags', '@window'], 'Asia/Tokyo']);
  expect(tags.problems.map(({ name }) => name)).toEqual(['lock.windows', 'lock.hold', 'lock.timezone']);
  expect(told('control-tag-unreadable')).toHaveLength(4);
  receive({});
  expect([holders(), tags.problem()]).toEqual([[], null]);
});

test('a value that is back, or that flaps, is told as a change, but as unreadable once', () => {
  for (let index = 0; index < 100; index += 1) receive(index % 2 === 0 ? { hold: 'x' } : { hold: 'x', windows: 'Fry' });
  expect([told('control-tag-unreadable').length, told('control-tags-changed').length]).toEqual([1, 1]);
  for (let index = 0; index < 1000; index += 1) receive({ window: String(index) });
  expect(told('control-tag-unreadable')).toHaveLength(1001);
});

test('changes are told with what they are now', () => {
  receive({ windows: '02:00-04:00', hold: 'x'.repeat(100) });
  receive({ windows: '02:00-05:00' });
  expect(told('control-tags-changed')).toEqual([
    { type: 'control-tags-changed', changes: [{ name: 'lock.windows', value: '"02:00-04:00"' }, { name: 'lock.hold', value: `"${'x'.repeat(76)}...` }] },
    { type: 'control-tags-changed', changes: [{ name: 'lock.windows', value: '"02:00-05:00"' }, { name: 'lock.hold', value: null }] },
  ]);
});

test('hold and allow end by the wall clock, without anybody asking', () => {
  receive({ hold: 'until 2030-06-03T12:30Z' });
  jest.advanceTimersByTime(30 * MINUTE_MS - 1);
  expect(holders()).toEqual(['@tags']);
  jest.advanceTimersByTime(1);
  expect(holders()).toEqual([]);
  receive({ windows: '02:00-04:00', allow: 'until 2030-06-03T13:00Z ask Ann' });
  expect([holders(), allowances.current()]).toEqual([[], { by: 'tag', reason: 'ask Ann', untilWallMs: START + 60 * MINUTE_MS }]);
  jest.advanceTimersByTime(30 * MINUTE_MS);
  expect([holders(), allowances.current()]).toEqual([['@window'], null]);
});

test('while the clock is not set, an allow is not in force and a hold is', () => {
  receive({ windows: '02:00-04:00', hold: 'until 2030-06-03T12:01Z', allow: 'until 2031-01-01T00:00Z' });
  jest.advanceTimersByTime(5 * MINUTE_MS);
  expect(holders()).toEqual([]);
  // Times before 1970 stand for a clock that is not set.
  wallOffsetMs = -2 * START;
  tags.look();
  expect(holders()).toEqual(['@tags', '@window']);
  wallOffsetMs = 0;
  // Nobody asks.
  jest.advanceTimersByTime(MINUTE_MS);
  expect(holders()).toEqual([]);
});

test('with tags that do not end, nothing runs', () => {
  receive({ hold: 'stocktaking' });
  expect(jest.getTimerCount()).toBe(0);
});

test('others are told when it lets go', () => {
  const end = (): unknown => policies.of('@tags').end();
  expect(end()).toEqual({ atWallMs: null, event: 'the device tags have been read, or 15 minutes have passed' });
  receive({ hold: 'stocktaking' });
  expect(end()).toEqual({ atWallMs: null, event: 'the tag lock.hold is removed' });
  receive({ hold: 'until 2030-06-03T12:30Z' });
  expect(end()).toEqual({ atWallMs: START + 30 * MINUTE_MS, event: 'the hold by tag ends' });
  expect(policies.of('@tags')).toMatchObject({ survivesDrain: true, deadline: 'pauses' });
});
