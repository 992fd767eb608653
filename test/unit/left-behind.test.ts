import fc from 'fast-check';
import type { KeeperEvent } from '../../sidecar/events/event';
import { LeftBehind, testPace } from '../../sidecar/keeper/left-behind';
import type { Standing } from '../../sidecar/lock/classify';
import type { InspectedPath } from '../../sidecar/lock/inspected-path';

const PATH = '/l/updates.lock';
const MINUTE = 60_000;

let startedAtMs: number;
let isHeld: boolean | null;
let tests: number[];
let events: KeeperEvent[];
let changes: number;

beforeEach(() => {
  jest.useFakeTimers();
  [startedAtMs, isHeld, tests, events, changes] = [Date.now(), false, [], [], 0];
});
afterEach(() => { jest.useRealTimers(); });

function make(): LeftBehind {
  return new LeftBehind({
    isFlocked: () => {
      tests.push(Date.now() - startedAtMs);
      return Promise.resolve(isHeld);
    },
    emit: (event) => { events.push(event); },
  }, () => { changes += 1; });
}

function found(standing: Standing, ino = 1): InspectedPath {
  return { path: PATH, standing, file: standing === 'absent' || standing === 'ours' ? null : { dev: 1, ino, uid: 1000, isEmpty: true, writtenAtWallMs: 0 } };
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

test.each<['helios' | 'foreign', number[]]>([
  ['helios', [1000, MINUTE, MINUTE, MINUTE]],
  ['foreign', [1, 2, 4, 8, 10, 10].map((minutes) => minutes * MINUTE)],
])('a file of %s is tested after these times, one after the other', (standing, afterMs) => {
  expect(afterMs.map((_, count) => testPace(standing, count))).toEqual(afterMs);
});

test.each<[Standing, number[]]>([
  ['foreign', [1, 3, 7].map((minutes) => minutes * MINUTE)],
  ['helios', [1000, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((minutes) => minutes * MINUTE + 1000)]],
  ['supervisor', []],
  ['ours', []],
  ['absent', []],
  ['unknown', []],
])('what is %s is tested at these times of ten minutes', async (standing, at) => {
  make().look([found(standing)]);
  await pass(10 * MINUTE);
  expect(tests).toEqual(at);
});

test('a directory, a pipe or a link is not tested', async () => {
  make().look([{ path: PATH, standing: 'foreign', file: null }]);
  await pass(10 * MINUTE);
  expect(tests).toEqual([]);
});

test('further looks at the same file neither bring the test forward nor put it off', async () => {
  const leftBehind = make();
  for (let second = 0; second < 90; second += 1) {
    leftBehind.look([found('foreign')]);
    await pass(1000);
  }
  expect(tests).toEqual([MINUTE]);
});

test('another file of that name is another file', async () => {
  const leftBehind = make();
  leftBehind.look([found('foreign', 1)]);
  await pass(MINUTE);
  expect(leftBehind.mark(found('foreign', 1)).isLeftBehind).toBe(true);
  // Also before we are told of it.
  expect(leftBehind.mark(found('foreign', 2)).isLeftBehind).toBe(false);
  leftBehind.look([found('foreign', 2)]);
  await pass(MINUTE - 1);
  expect(leftBehind.mark(found('foreign', 2)).isLeftBehind).toBe(false);
  await pass(1);
  expect(leftBehind.mark(found('foreign', 2)).isLeftBehind).toBe(true);
  expect(events).toHaveLength(2);
});

test('a stale file of Helios that is taken over, and becomes stale again, is told each time', async () => {
  const leftBehind = make();
  leftBehind.look([found('helios')]);
  const seen: boolean[] = [];
  for (isHeld of [false, true, true, false]) {
    await pass(MINUTE);
    seen.push(leftBehind.mark(found('helios')).isLeftBehind);
  }
  expect(seen).toEqual([true, false, false, true]);
  const told = { type: 'file-left-behind', path: PATH, isHelios: true, uid: 1000 };
  expect([events, changes]).toEqual([[told, told], 3]);
});

test("of another program's file that comes and goes out of use it is told once", async () => {
  const leftBehind = make();
  leftBehind.look([found('foreign')]);
  for (isHeld of [false, true, false, true, false]) await pass(10 * MINUTE);
  expect(events).toEqual([{ type: 'file-left-behind', path: PATH, isHelios: false, uid: 1000 }]);
  expect(changes).toBe(5);
});

test('a test that fails changes nothing', async () => {
  const leftBehind = make();
  leftBehind.look([found('helios')]);
  for (isHeld of [null, false, null]) await pass(MINUTE);
  expect([leftBehind.mark(found('helios')).isLeftBehind, changes]).toEqual([true, 1]);
});

test('a test whose file has gone, or that ends after we were closed, tells nothing', async () => {
  let answer: (isHeld: boolean) => void = () => undefined;
  const leftBehind = new LeftBehind({
    isFlocked: () => new Promise((resolve) => { answer = resolve; }),
    emit: (event) => { events.push(event); },
  }, () => { changes += 1; });
  leftBehind.look([found('helios')]);
  await pass(1000);
  leftBehind.look([found('absent')]);
  answer(false);
  await pass(MINUTE);
  leftBehind.look([found('helios')]);
  await pass(1000);
  leftBehind.close();
  answer(false);
  await pass(10 * MINUTE);
  expect([events, changes, jest.getTimerCount()]).toEqual([[], 0, 0]);
});

/** What may happen in a second. */
const HAPPENING = fc.oneof(
  fc.record({ file: fc.constantFrom<Standing>('helios', 'foreign', 'supervisor', 'ours', 'absent'), ino: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ flock: fc.constantFrom(true, false, null) }),
  fc.record({ passMs: fc.integer({ min: 1, max: 15 * MINUTE }) }),
);

test('whatever happens, a file is left behind exactly if its last test that succeeded said so, and files of ours or nobody are never tested', async () => {
  await fc.assert(fc.asyncProperty(fc.array(HAPPENING, { maxLength: 30 }), async (happenings) => {
    let now = found('absent');
    let lastSaid = null as boolean | null;
    const leftBehind = new LeftBehind({
      isFlocked: (_path, file) => {
        expect(file).toEqual(now.file);
        expect(['helios', 'foreign']).toContain(now.standing);
        if (isHeld !== null) lastSaid = isHeld;
        return Promise.resolve(isHeld);
      },
      emit: () => undefined,
    }, () => undefined);
    for (const happening of happenings) {
      if ('file' in happening) {
        const next = found(happening.file, happening.ino);
        if (next.standing !== now.standing || next.file?.ino !== now.file?.ino) lastSaid = null;
        now = next;
        leftBehind.look([now]);
      } else if ('flock' in happening) isHeld = happening.flock;
      else await pass(happening.passMs);
      expect(leftBehind.mark(now).isLeftBehind).toBe(lastSaid === false);
    }
    leftBehind.close();
  }), { numRuns: 200 });
});
