import type { ControlTagEvent } from '../../sidecar/events/event';
import type { TagsResult } from '../../sidecar/supervisor/supervisor-api';
import { TagReader } from '../../sidecar/supervisor/tag-reader';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const FAILED: TagsResult = { ok: false, isUnknown: false, problem: 'it answered with status 500' };

let answer: TagsResult;
let asked: number;
let received: number;
let events: ControlTagEvent[];
let reader: TagReader;

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

function start(random = 0): void {
  reader = new TagReader({
    api: { readTags: () => { asked += 1; return Promise.resolve(answer); } },
    pollMs: 15 * MINUTE_MS,
    random: () => random,
    onTags: () => { received += 1; },
    emit: (event) => { events.push(event); },
  });
}

beforeEach(() => {
  jest.useFakeTimers();
  [answer, asked, received, events] = [{ ok: true, tags: [] }, 0, 0, []];
});
afterEach(() => {
  reader.close();
  jest.useRealTimers();
});

test.each([
  [0, 97],
  [1, 107],
])('a day costs about a hundred requests, whether the lock is held or not (with %d of the jitter: %d)', async (random, requests) => {
  start(random);
  await pass(DAY_MS);
  expect([asked, received, events]).toEqual([requests, requests, []]);
});

test('without the cloud it is asked ever less often, down to once in an interval, and both that and the end of it are told once', async () => {
  answer = FAILED;
  start();
  // At 0, 10, 30, 70, 150, 310, 630 and 1270 s, and then every 900 s.
  await pass(1270 * 1000);
  expect(asked).toBe(8);
  await pass(7 * DAY_MS - 1270 * 1000);
  expect(asked).toBe(8 + 670);
  expect(events).toEqual([{ type: 'control-tags-missed', problem: 'it answered with status 500' }]);
  answer = { ok: true, tags: [] };
  await pass(15 * MINUTE_MS);
  expect([received, events.at(-1)]).toEqual([1, { type: 'control-tags-reached' }]);
});

test('a Supervisor that knows no tags is asked once a day, and that is told once', async () => {
  answer = { ok: false, isUnknown: true, problem: 'too old' };
  start();
  await pass(3 * DAY_MS);
  expect([asked, events]).toEqual([4, [{ type: 'control-tags-missed', problem: 'too old' }]]);
});

test('after it was closed nothing is received and nothing asked', async () => {
  start();
  reader.close();
  await pass(DAY_MS);
  expect([asked, received]).toEqual([1, 0]);
});
