import { Applying } from '../../sidecar/gates/applying';
import type { NamesOwner } from '../../sidecar/events/event';

const WELL_BEFORE_MS = 100_000;

let nowMs: number;
let isUpdating: boolean;
let written: unknown;
let events: string[];

beforeEach(() => {
  jest.useFakeTimers();
  nowMs = WELL_BEFORE_MS;
  isUpdating = false;
  written = null;
  events = [];
});
afterEach(() => jest.useRealTimers());

function make({ hasApi = true, boot = 'this', heldSinceMs = null as number | null } = {}): Applying {
  const applying = new Applying({
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    boot,
    state: { read: (_name, parse) => (written === null ? null : parse(written)), write: (_name, mark) => { written = mark; } },
    keeper: { heldSinceMs, get isUpdating() { return isUpdating; } },
    hasApi,
    emit: ({ type }) => events.push(type),
  });
  applying.onEvent({ type: 'store-opened' });
  return applying;
}

function turn(applying: Applying, to: NamesOwner): void {
  isUpdating = to === 'updating';
  applying.onEvent({ type: 'lock-turned', from: to === 'free' ? 'updating' : 'free', to });
}

function pass(ms: number): void {
  nowMs += ms;
  jest.advanceTimersByTime(ms);
}

/** An update that has stood for long enough, and has then given back the lock. */
function makePaused(options: Parameters<typeof make>[0] = {}): Applying {
  const applying = make(options);
  turn(applying, 'updating');
  pass(2000);
  turn(applying, 'free');
  return applying;
}

function isClosed(applying: Applying, name: string | null = null): boolean {
  return applying.gate({ nowMs, name, lostAtMs: null }) !== null;
}

test.each([
  [1999, false],
  [2000, true],
  [600_000, true],
])('a file that goes after %d ms closes the gate: %s', (stoodMs, closes) => {
  const applying = make();
  turn(applying, 'updating');
  pass(stoodMs);
  turn(applying, 'free');
  expect(isClosed(applying)).toBe(closes);
});

test.each([null, 'app', '@start', '@window'])('it is closed for %s', (name) => {
  expect(makePaused().gate({ nowMs, name, lostAtMs: null })).toMatchObject({ code: 'updating', opensAtMs: null });
});

test('it opens a minute after the file has gone, whatever is pending', () => {
  const applying = makePaused();
  pass(59_999);
  expect([isClosed(applying), events]).toEqual([true, ['update-paused']]);
  pass(1);
  expect([isClosed(applying), events]).toEqual([false, ['update-paused', 'gate-opened']]);
  expect(written).toEqual({ version: 1, applying: null });
});

test('it opens at once when nothing is pending, but not if that was said of an earlier gap', () => {
  const applying = makePaused();
  const { gap } = applying;
  if (gap === null) throw new Error('there is no gap');
  turn(applying, 'updating');
  applying.end(gap);
  turn(applying, 'free');
  applying.end(gap);
  expect(isClosed(applying)).toBe(true);
  if (applying.gap !== null) applying.end(applying.gap);
  expect([isClosed(applying), events.at(-1)]).toEqual([false, 'gate-opened']);
});

test('a file that comes again keeps it closed, and the minute begins anew', () => {
  const applying = makePaused();
  pass(50_000);
  turn(applying, 'updating');
  pass(100);
  turn(applying, 'free');
  pass(59_000);
  expect(isClosed(applying)).toBe(true);
});

test("without the Supervisor's API the update is over when its file goes", () => {
  const applying = makePaused({ hasApi: false });
  expect([isClosed(applying), events, written]).toEqual([false, ['gate-opened'], { version: 1, applying: null }]);
});

test('attempts write nothing', () => {
  const applying = make();
  turn(applying, 'updating');
  pass(100);
  turn(applying, 'free');
  pass(10_000);
  expect(written).toBeNull();
});

test.each([true, false])('after a power cut it is closed for ten minutes, or until nothing is pending, with the API: %s', (hasApi) => {
  makePaused({ boot: 'before' }).close();
  nowMs = 20_000;
  const applying = make({ hasApi });
  expect(isClosed(applying)).toBe(true);
  pass(599_999);
  expect(isClosed(applying)).toBe(true);
  pass(1);
  expect([isClosed(applying), events.at(-1)]).toEqual([false, 'gate-opened']);
});

test('a restart of the sidecar makes the ten minutes no longer', () => {
  makePaused({ boot: 'before' }).close();
  nowMs = 20_000;
  make().close();
  pass(570_000);
  const applying = make();
  expect(isClosed(applying)).toBe(true);
  pass(30_000);
  expect(isClosed(applying)).toBe(false);
});

test('a lock that is ours after a restart shows that the update is over', () => {
  makePaused().close();
  const applying = make({ heldSinceMs: nowMs });
  expect([isClosed(applying), written]).toEqual([false, { version: 1, applying: null }]);
});

test.each([{ version: 2 }, { version: 1, applying: { boot: 7 } }, 'text', { version: 1 }])('a mark that cannot be understood closes nothing: %j', (mark) => {
  written = mark;
  expect(isClosed(make())).toBe(false);
});

const STALE = { type: 'file-left-behind', path: '/l/updates.lock', isHelios: true, uid: 0 } as const;

test.each([1000, 60_000])('a file of Helios that turns out to be stale after %d ms closes nothing, also when it goes', (stoodMs) => {
  const applying = make();
  turn(applying, 'updating');
  pass(stoodMs);
  isUpdating = false;
  applying.onEvent(STALE);
  applying.onEvent({ type: 'lock-turned', from: 'updating', to: 'foreign' });
  turn(applying, 'free');
  expect(isClosed(applying)).toBe(false);
  expect([null, { version: 1, applying: null }]).toContainEqual(written);
});

test('a stale file of Helios that is taken over is that of an update', () => {
  const applying = make();
  turn(applying, 'updating');
  isUpdating = false;
  applying.onEvent(STALE);
  applying.onEvent({ type: 'lock-turned', from: 'foreign', to: 'updating' });
  pass(2000);
  turn(applying, 'free');
  expect(isClosed(applying)).toBe(true);
});

test("a file that was left behind opens nothing while the Supervisor's stands at the other name, or may come back", () => {
  const applying = make();
  turn(applying, 'updating');
  pass(2000);
  applying.onEvent(STALE);
  turn(applying, 'free');
  applying.onEvent(STALE);
  expect(isClosed(applying)).toBe(true);
});
