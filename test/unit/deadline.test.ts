import type { DeadlineEvent } from '../../sidecar/events/event';
import { Deadline } from '../../sidecar/gates/deadline';
import { LeasePolicies } from '../../sidecar/leases/policies';
import { NOT_WAITED, type Waited } from '../../sidecar/leases/waiting';
import { makeLease } from './make-lease';

const HOUR_MS = 3_600_000;
const WAITS = { waits: true, holdsForApps: true, isWindowClosed: false };

let nowMs: number;
let events: DeadlineEvent[];
let remembered: Waited;
let drains: number;
let state: typeof WAITS;
let mayDrain: boolean;

beforeEach(() => {
  jest.useFakeTimers();
  nowMs = 1000;
  events = [];
  remembered = NOT_WAITED;
  drains = 0;
  state = { ...WAITS, waits: false };
  mayDrain = true;
});
afterEach(() => jest.useRealTimers());

const policies = new LeasePolicies();
policies.register('@window', { survivesDrain: true, deadline: 'pauses' });
policies.register('@probe-x', {});

const keeper = {
  leases: () => [...(state.holdsForApps ? [makeLease('app')] : []), ...(state.isWindowClosed ? [makeLease('@window')] : [])],
  end: () => { drains += 1; },
  notes: {
    get update() { return { waiting: [], waited: remembered }; },
    recordUpdate: ({ waited }: { waited?: Waited }) => { remembered = waited ?? remembered; },
  },
};

function make(deadlineMs = 24 * HOUR_MS): Deadline {
  const deadline = new Deadline({
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    deadlineMs,
    graceMs: 60_000,
    restartGraceMs: 0,
    keeper,
    policies,
    mayDrain: () => mayDrain,
    updates: { get unbroken() { return state.waits ? [{ what: 'release', sinceMs: 0 } as const] : []; }, attend: () => () => undefined },
    emit: (event) => { if (event.type !== 'gate-opened') events.push(event); },
  });
  deadline.onEvent({ type: 'store-opened' });
  return deadline;
}

function observe(deadline: Deadline, now: typeof WAITS): void {
  state = now;
  deadline.onEvent({ type: 'update-changed', turn: null });
}

/** In steps no longer than a timer's, so that what timers set in between is there too. */
function pass(ms: number): void {
  for (let restMs = ms; restMs > 0; restMs -= 60_000) {
    nowMs += Math.min(restMs, 60_000);
    jest.advanceTimersByTime(Math.min(restMs, 60_000));
  }
}

const types = (): string[] => events.map(({ type }) => type);
const refusal = (deadline: Deadline, name = 'app'): string | undefined => deadline.gate({ nowMs, name, lostAtMs: null })?.code;

test('the lease of the windows is not drained', () => {
  const deadline = make(1000);
  observe(deadline, WAITS);
  pass(1000);
  expect([refusal(deadline, '@window'), refusal(deadline, '@probe-x'), refusal(deadline)]).toEqual([undefined, 'draining', 'draining']);
});

test.each([
  ['no app holds the lock', { ...WAITS, holdsForApps: false }],
  ['no window is open', { ...WAITS, isWindowClosed: true }],
])('while %s the time does not count, and is not forgotten', (_, pause) => {
  const deadline = make(3 * HOUR_MS);
  observe(deadline, WAITS);
  pass(2 * HOUR_MS);
  observe(deadline, pause);
  expect(deadline.atMs).toBeNull();
  pass(50 * HOUR_MS);
  expect(types()).toEqual(['deadline-nears', 'deadline-nears']);
  observe(deadline, WAITS);
  expect(deadline.atMs).toBe(nowMs + HOUR_MS);
  pass(HOUR_MS);
  expect(types().at(-1)).toBe('draining');
});

test('when no update waits any more, the next one has all the time again, and its warnings', () => {
  const deadline = make(3 * HOUR_MS);
  observe(deadline, WAITS);
  pass(2.5 * HOUR_MS);
  observe(deadline, { ...WAITS, waits: false });
  expect(remembered).toEqual(NOT_WAITED);
  observe(deadline, WAITS);
  expect(deadline.atMs).toBe(nowMs + 3 * HOUR_MS);
  pass(HOUR_MS);
  expect(types()).toEqual(['deadline-nears', 'deadline-nears', 'deadline-nears']);
});

test('an update that does not come opens the gate in the end, and counts anew', () => {
  const deadline = make(HOUR_MS);
  observe(deadline, WAITS);
  pass(HOUR_MS + 60_000);
  pass(20 * 60_000 - 1);
  expect(refusal(deadline)).toBe('draining');
  pass(1);
  expect([refusal(deadline), events.at(-1)]).toEqual([undefined, { type: 'drained', hasCome: false }]);
  observe(deadline, WAITS);
  expect(deadline.atMs).toBe(nowMs + HOUR_MS);
});

test('what a former process has counted goes on, the time without a process included', () => {
  const former = make(3 * HOUR_MS);
  observe(former, WAITS);
  former.close();
  events = [];
  nowMs += 1.5 * HOUR_MS;
  const deadline = make(3 * HOUR_MS);
  expect(deadline.atMs).toBe(1000 + 3 * HOUR_MS);
  pass(1.5 * HOUR_MS);
  expect(types()).toEqual(['deadline-nears', 'draining']);
});

test('one that has passed while there was no process drains at once', () => {
  const former = make(HOUR_MS);
  observe(former, WAITS);
  former.close();
  nowMs += 5 * HOUR_MS;
  const deadline = make(HOUR_MS);
  pass(1);
  expect([types().at(-1), refusal(deadline)]).toEqual(['draining', 'draining']);
});

test('a process that was stopped in the grace, for longer than an update takes to come, drains all the same', () => {
  const deadline = make(HOUR_MS);
  observe(deadline, WAITS);
  pass(HOUR_MS);
  nowMs += 5 * HOUR_MS;
  jest.advanceTimersByTime(60_000);
  expect([drains, refusal(deadline)]).toEqual([1, 'draining']);
  pass(20 * 60_000 - 1);
  expect(refusal(deadline)).toBe('draining');
  pass(1);
  expect([drains, refusal(deadline)]).toEqual([1, undefined]);
});

test('one that was stopped for longer than deadline and grace gives the grace all the same', () => {
  const deadline = make(HOUR_MS);
  observe(deadline, WAITS);
  nowMs += 5 * HOUR_MS;
  jest.advanceTimersByTime(HOUR_MS / 3);
  expect([types(), drains]).toEqual([['draining'], 0]);
  expect(events[0]).toMatchObject({ endsAtMs: nowMs + 60_000 });
});

test('an update that waits for no time at all is not counted on', () => {
  const deadline = make(HOUR_MS);
  observe(deadline, WAITS);
  observe(deadline, { ...WAITS, waits: false });
  expect([deadline.atMs, remembered]).toEqual([null, NOT_WAITED]);
});

test('a lease that comes and goes a thousand times costs no time that it was there, and adds none', () => {
  const deadline = make(HOUR_MS);
  for (let index = 0; index < 1000; index += 1) {
    observe(deadline, WAITS);
    pass(1000);
    observe(deadline, { ...WAITS, holdsForApps: false });
    pass(1000);
  }
  observe(deadline, WAITS);
  expect(deadline.atMs).toBe(nowMs + HOUR_MS - 1_000_000);
});

test('a deadline of a year is not passed at once', () => {
  const deadline = make(365 * 24 * HOUR_MS);
  observe(deadline, WAITS);
  nowMs += 2 ** 31;
  jest.advanceTimersByTime(2 ** 31);
  expect(types()).toEqual([]);
  deadline.close();
});

test('apps are drained once the lock is free without a turn, as where somebody allows updates', () => {
  mayDrain = false;
  const deadline = make(1000);
  observe(deadline, WAITS);
  pass(2000);
  expect(types()).toContain('deadline-passed');
  mayDrain = true;
  deadline.onEvent({ type: 'lease-ended', lease: { ...makeLease('@fleet'), endedAtMs: nowMs, endReason: 'released' } as never, lock: 'held' });
  pass(1000);
  expect(types()).toContain('draining');
});
