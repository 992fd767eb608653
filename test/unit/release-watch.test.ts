import { FakeSupervisor, LOCKED, NOTHING, pass, PENDING } from './fake-supervisor';

let supervisor: FakeSupervisor;

beforeEach(() => {
  jest.useFakeTimers();
  supervisor = new FakeSupervisor();
});
afterEach(() => jest.useRealTimers());

test('while the lock is held it is asked after a second, then at the interval, and no more when it is released', async () => {
  const watch = supervisor.watch();
  supervisor.isHeld = true;
  watch.onHeld();
  await pass(61_000);
  expect(supervisor.reads).toEqual([1000, 31_000, 61_000]);
  supervisor.isHeld = false;
  watch.onReleased();
  await pass(3_600_000);
  expect(supervisor.reads).toHaveLength(3);
});

test('a lock that is held often for a moment costs nothing', async () => {
  const watch = supervisor.watch();
  for (let index = 0; index < 100; index += 1) {
    supervisor.isHeld = true;
    watch.onHeld();
    await pass(500);
    supervisor.isHeld = false;
    watch.onReleased();
    await pass(500);
  }
  expect(supervisor.reads).toEqual([]);
});

test('one that does not answer is asked less and less often, down to every five minutes', async () => {
  const watch = supervisor.watch();
  supervisor.reading = 'gone';
  supervisor.isHeld = true;
  watch.onHeld();
  await pass(1_800_000);
  const gaps = supervisor.reads.slice(1).map((atMs, index) => atMs - (supervisor.reads[index] ?? 0));
  expect(gaps).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000, 300_000].slice(0, gaps.length));
  supervisor.reading = NOTHING;
  await pass(300_000);
  const { length } = supervisor.reads;
  await pass(90_000);
  expect(supervisor.reads.length - length).toBe(3);
  expect(supervisor.events.map(({ type }) => type)).toEqual(['supervisor-missed', 'update-changed', 'supervisor-reached', 'update-changed']);
});

test.each([1000, 30_000, 300_000])('an update that comes just after a reading is told within %i ms and a second', async (pollMs) => {
  const watch = supervisor.watch(pollMs);
  supervisor.isHeld = true;
  watch.onHeld();
  await pass(1000);
  supervisor.reading = PENDING;
  await pass(pollMs + 1000);
  expect(supervisor.turns).toEqual([null, 'waits']);
  expect(watch.status.waitsSinceMs).not.toBeNull();
});

test('what was under way when the lock was released is waited for, and then asked anew', async () => {
  const watch = supervisor.watch();
  supervisor.takesMs = 200;
  supervisor.isHeld = true;
  watch.onHeld();
  await pass(1100);
  supervisor.isHeld = false;
  watch.onReleased();
  supervisor.reading = LOCKED;
  const looked = watch.lookAfterRelease();
  await pass(300);
  expect((await looked).waitsSinceMs).not.toBeNull();
  expect(supervisor.reads).toEqual([1000, 1200]);
});

test('in the aftermath it is asked a few times, and not any more once nothing waits or something is held', async () => {
  const watch = supervisor.watch(30_000, 0);
  supervisor.reading = PENDING;
  watch.lookInAftermath();
  await pass(3_600_000);
  expect(supervisor.reads).toEqual([500, 2000, 5000, 10_000]);
  watch.lookInAftermath();
  supervisor.reading = NOTHING;
  await pass(3_600_000);
  expect(supervisor.reads).toHaveLength(5);
});

test('what is known is not told when it has grown old', async () => {
  const watch = supervisor.watch();
  expect(watch.isKnown).toBe(false);
  await watch.look();
  expect(watch.isKnown).toBe(true);
  await pass(90_000);
  expect(watch.isKnown).toBe(true);
  await pass(1);
  expect(watch.isKnown).toBe(false);
});

test('one that is closed asks nothing more by itself', async () => {
  const watch = supervisor.watch();
  supervisor.isHeld = true;
  watch.onHeld();
  watch.attend();
  watch.lookInAftermath();
  watch.close();
  watch.lookInAftermath();
  const { length } = supervisor.reads;
  await pass(3_600_000);
  expect(supervisor.reads).toHaveLength(length);
});
