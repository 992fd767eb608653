import type { SidecarEvent, UpdateEvent } from '../../sidecar/events/event';
import { RebootWatch } from '../../sidecar/supervisor/reboot-watch';
import type { JournalResult } from '../../sidecar/supervisor/supervisor-api';
import { makeEndedLease, makeLease } from './make-lease';
import { CLOCK, pass } from './fake-supervisor';

const MINUTE = 60_000;
let startedAtMs: number;
let answer: () => Promise<JournalResult>;
let reads: number[];
let events: UpdateEvent[];
let open: RebootWatch[];

const waitsFor = (path: string): string => `${String(Date.now() / 1000)} d1a5b1b safe_reboot[77]: ${path} exists, busy waiting on unlocking for reboot.`;
const NOTHING = '-- No entries --\n';
const says = (text: () => string) => (): Promise<JournalResult> => Promise.resolve({ ok: true, text: text() });

beforeEach(() => {
  jest.useFakeTimers();
  [startedAtMs, answer, reads, events, open] = [Date.now(), says(() => NOTHING), [], [], []];
});
afterEach(() => {
  for (const watch of open) watch.close();
  jest.useRealTimers();
});

function make(pollMs: number | null = 2 * MINUTE): RebootWatch {
  const api = {
    readJournal: () => {
      reads.push(Date.now() - startedAtMs);
      return answer();
    },
  };
  const watch = new RebootWatch({ api, clock: CLOCK, pollMs, isOurs: (path) => path === '/ours', emit: (event) => { events.push(event); } });
  open.push(watch);
  return watch;
}

const taken = (name: string): SidecarEvent => ({ type: 'lease-acquired', lease: makeLease(name, { kind: name.startsWith('@') ? 'builtin' : 'timed' }), recovered: false, lock: 'taken' });
const ended = (name: string): SidecarEvent => {
  const lease = makeEndedLease(name, Date.now());
  return { type: 'lease-ended', lease: { ...lease, kind: name.startsWith('@') ? 'builtin' : 'timed' }, lock: 'released' };
};
const turns = (): unknown[] => events.flatMap((event) => (event.type === 'update-changed' ? [event.turn?.waits ?? null] : []));

test('while an app holds the lock the journal is read at the interval, and not at all while it is free', async () => {
  const watch = make();
  await pass(10 * MINUTE);
  expect(reads).toEqual([]);
  watch.onEvent(taken('app'));
  await pass(5 * MINUTE);
  expect(reads).toEqual([10, 12, 14].map((minutes) => minutes * MINUTE + 10_000));
  watch.onEvent(ended('app'));
  await pass(60 * MINUTE);
  expect(reads).toHaveLength(3);
});

test('while only the sidecar itself holds it, every ten minutes; as soon as an app does too, at the interval', async () => {
  const watch = make();
  watch.onEvent(taken('@window'));
  await pass(35 * MINUTE);
  expect(reads).toEqual([0, 10, 20, 30].map((minutes) => minutes * MINUTE + 10_000));
  watch.onEvent(taken('app'));
  await pass(3 * MINUTE);
  expect(reads.slice(4)).toEqual([35 * MINUTE, 37 * MINUTE]);
  watch.onEvent(ended('app'));
  await pass(8 * MINUTE);
  expect(reads).toHaveLength(6);
});

test.each([['app', 720], ['@window', 144]])('a day of %s holding the lock costs %i readings', async (name, expected) => {
  const watch = make();
  watch.onEvent(taken(name));
  await pass(24 * 60 * MINUTE);
  expect(reads).toHaveLength(expected);
});

test('an app that takes and releases it every second costs no more than the interval', async () => {
  const watch = make();
  for (let index = 0; index < 600; index += 1) {
    watch.onEvent(taken('app'));
    await pass(500);
    watch.onEvent(ended('app'));
    await pass(500);
  }
  expect(reads.length).toBeLessThanOrEqual(5);
});

test('while somebody waits for an update it is read every ten seconds, even while the lock is free', async () => {
  const stop = make().attend();
  await pass(25_000);
  expect(reads).toEqual([0, 10_000, 20_000]);
  stop();
  await pass(5 * MINUTE);
  expect(reads).toHaveLength(3);
});

test('a reboot that waits is told once, and again when it waits no more', async () => {
  const watch = make();
  watch.onEvent(taken('app'));
  answer = says(() => waitsFor('/ours'));
  await pass(5 * MINUTE);
  expect(turns()).toEqual([true]);
  expect(watch.waiting).toEqual([{ what: 'reboot', sinceMs: startedAtMs + 10_000 }]);
  answer = says(() => NOTHING);
  await pass(2 * MINUTE);
  expect(turns()).toEqual([true, false]);
  expect(watch.waiting).toEqual([]);
});

test('after the release one look tells whether the reboot has gone on', async () => {
  const watch = make();
  watch.onEvent(taken('app'));
  answer = says(() => waitsFor('/ours'));
  await pass(MINUTE);
  watch.onEvent(ended('app'));
  answer = says(() => NOTHING);
  await pass(10_000);
  expect(turns()).toEqual([true, false]);
  await pass(60 * MINUTE);
  expect(reads).toHaveLength(2);
});

test('one that waits for the lock of another service is in the detail', async () => {
  const watch = make();
  watch.onEvent(taken('app'));
  answer = says(() => waitsFor('/theirs\u202e'));
  await pass(MINUTE);
  expect(watch.waiting).toEqual([]);
  expect(watch.detail).toBe('A reboot of the host OS waits for the lock of another service: /theirs\uFFFD.');
  expect(turns()).toEqual([null]);
});

test('a former process knew of one: it waits until the journal says otherwise', async () => {
  const watch = make();
  watch.resume(startedAtMs - MINUTE);
  watch.onEvent(taken('app'));
  answer = says(() => '');
  await pass(3 * MINUTE);
  expect(watch.waiting).toEqual([{ what: 'reboot', sinceMs: startedAtMs - MINUTE }]);
});

test.each<[string, JournalResult]>([
  ['is not understood', { ok: true, text: 'garbage' }],
  ['fails', { ok: false, problem: 'gone' }],
])('an answer that %s is told once, asked for less and less often, and ends no wait', async (_, result) => {
  const watch = make();
  watch.resume(startedAtMs);
  watch.onEvent(taken('app'));
  answer = () => Promise.resolve(result);
  await pass(24 * 60 * MINUTE);
  expect(reads.length).toBeLessThan(35);
  expect(events.map(({ type }) => type)).toEqual(['journal-missed']);
  expect(watch.waiting).toHaveLength(1);
  answer = says(() => NOTHING);
  await pass(61 * MINUTE);
  expect(events.map(({ type }) => type)).toEqual(['journal-missed', 'update-changed', 'journal-reached']);
});

test('one at a time is asked for, however slow the answer', async () => {
  const watch = make();
  watch.onEvent(taken('app'));
  answer = () => new Promise((resolve) => setTimeout(() => { resolve({ ok: true, text: NOTHING }); }, 10 * MINUTE));
  const stop = watch.attend();
  await pass(9 * MINUTE);
  expect(reads).toHaveLength(1);
  stop();
});

test('turned off it reads nothing', async () => {
  const watch = make(null);
  watch.onEvent(taken('app'));
  watch.attend();
  await pass(60 * MINUTE);
  expect(reads).toEqual([]);
});
