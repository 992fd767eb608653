import { SummaryTag } from '../../sidecar/supervisor/summary-tag';
import type { TagResult } from '../../sidecar/supervisor/supervisor-api';
import type { TagEvent } from '../../sidecar/events/event';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 4, 1, 10, 0);

let text: string;
let isUrgent: boolean;
let answer: TagResult;
let writes: { atMs: number; value: string }[];
let events: TagEvent[];
let tag: SummaryTag;
let stored: unknown;

const elapsedMs = (): number => Date.now() - START;
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
function change(to: string): void {
  text = to;
  tag.onEvent();
}

beforeEach(() => {
  jest.useFakeTimers({ now: START });
  [text, isUrgent, answer, writes, events] = ['Nothing holds back updates.', false, { ok: true }, [], []];
  stored = null;
  tag = make();
});

/** As in a new process. */
function make(): SummaryTag {
  return new SummaryTag({
    name: 'update-lock',
    api: { writeTag: (_name, value) => { writes.push({ atMs: elapsedMs(), value }); return Promise.resolve(answer); } },
    clock: { monotonicMs: elapsedMs, wallMs: () => Date.now() },
    text: () => text,
    isUrgent: () => isUrgent,
    state: { read: (_name, parse) => parse(stored), write: (_name, value) => { stored = JSON.parse(JSON.stringify(value)); } },
    emit: (event) => { events.push(event); },
  });
}
afterEach(() => {
  tag.close();
  jest.useRealTimers();
});

test('a device on which nothing happens writes once a day at most, with the time', async () => {
  await pass(DAY_MS);
  expect(writes).toEqual([{ atMs: 31_000, value: 'Nothing holds back updates. (2026-05-01 10:00 UTC)' }]);
  expect(jest.getTimerCount()).toBe(0);
});

test('a device on which an app holds the lock for an hour four times a day writes eight times', async () => {
  await pass(DAY_MS / 8);
  expect(writes).toHaveLength(1);
  for (let turn = 0; turn < 4; turn += 1) {
    change(`held back by recorder (${String(turn)})`);
    for (let minute = 0; minute < 60; minute += 1) {
      // A renewal changes nothing in the words.
      tag.onEvent();
      await pass(60_000);
    }
    change('Nothing holds back updates.');
    await pass(3_600_000);
  }
  expect(writes).toHaveLength(1 + 8);
});

test('an app that comes and goes costs no traffic, until it stays', async () => {
  await pass(600_000);
  writes = [];
  for (let index = 0; index < 1000; index += 1) {
    change(index % 2 === 0 ? 'held back by app' : 'Nothing holds back updates.');
    await pass(10_000);
  }
  expect(writes).toEqual([]);
  change('held back by app');
  await pass(60_000);
  expect(writes).toHaveLength(1);
});

test('an update that is held back is written within a second, and whatever follows five minutes later', async () => {
  await pass(600_000);
  writes = [];
  isUrgent = true;
  change('An update has been waiting');
  await pass(1000);
  expect(writes.map(({ value }) => value)).toEqual([expect.stringContaining('An update has been waiting')]);
  for (let index = 0; index < 600; index += 1) {
    change(`An update has been waiting for app ${String(index)}`);
    await pass(1000);
  }
  const times = writes.map(({ atMs }) => atMs);
  for (const [index, atMs] of times.slice(1).entries()) expect(atMs - (times[index] ?? 0)).toBeGreaterThanOrEqual(300_000);
  expect(times).toHaveLength(3);
});

test('a Supervisor that fails is asked every five minutes, and both that and the end of it are said once', async () => {
  answer = { ok: false, isUnknown: false, problem: 'it answered with status 500' };
  await pass(3_600_000);
  expect(writes).toHaveLength(12);
  answer = { ok: true };
  await pass(600_000);
  expect(writes).toHaveLength(13);
  expect(events.map(({ type }) => type)).toEqual(['tag-missed', 'tag-reached']);
});

test('a Supervisor that knows no tags is asked once, and that is said once', async () => {
  answer = { ok: false, isUnknown: true, problem: 'too old' };
  await pass(600_000);
  change('held back by app');
  await pass(DAY_MS);
  expect(writes).toHaveLength(1);
  expect(events).toEqual([{ type: 'tag-missed', name: 'update-lock', problem: 'too old' }]);
});

test.each(['x'.repeat(1000), '😀'.repeat(500), `a${'😀'.repeat(500)}`])('a long text is cut to 255 characters, and the time stays', async (long) => {
  change(long);
  await pass(60_000);
  const { value } = writes[0] ?? { value: '' };
  expect(value).toMatch(/… \(2026-05-01 10:00 UTC\)$/);
  expect(value.length).toBeGreaterThan(250);
  expect(value.length).toBeLessThanOrEqual(255);
  expect(value.isWellFormed()).toBe(true);
});

test('a sidecar that is restarted again and again writes the same text once, and another one no sooner than after five minutes', async () => {
  await pass(60_000);
  for (let count = 0; count < 20; count += 1) {
    tag.close();
    tag = make();
    await pass(2000);
  }
  await pass(60_000);
  expect(writes).toHaveLength(1);
  tag.close();
  [tag, isUrgent] = [make(), true];
  change('held back by recorder');
  await pass(120_000);
  expect(writes).toHaveLength(1);
  await pass(120_000);
  expect(writes.map(({ atMs }) => atMs)).toEqual([31_000, 331_000]);
});
