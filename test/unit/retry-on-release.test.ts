import { RetryOnRelease } from '../../sidecar/supervisor/retry-on-release';
import { UpdateRequests } from '../../sidecar/supervisor/update-requests';
import type { ReleaseWatch } from '../../sidecar/supervisor/release-watch';
import { CLOCK, FakeSupervisor, LOCKED, NOTHING, pass, PENDING } from './fake-supervisor';

const DOWNLOADING = { ...PENDING, downloading: true };

let supervisor: FakeSupervisor;
let watch: ReleaseWatch;
let retry: RetryOnRelease;

beforeEach(() => {
  jest.useFakeTimers();
  supervisor = new FakeSupervisor();
  supervisor.reading = LOCKED;
  const { api, lock, emit } = supervisor;
  watch = supervisor.watch();
  const requests = new UpdateRequests({ api, watch, lock, emit });
  retry = new RetryOnRelease({ clock: CLOCK, watch, requests, lock });
});
afterEach(() => jest.useRealTimers());

function hold(): void {
  supervisor.isHeld = true;
  retry.onHeld();
  watch.onHeld();
}

function release(): void {
  supervisor.isHeld = false;
  watch.onReleased();
  retry.onReleased();
}

const asked = (): number[] => supervisor.updates.map(({ atMs }) => atMs);

test.each([
  ['nothing waits', NOTHING],
  ['something is downloaded', DOWNLOADING],
  ['it cannot be reached, and nothing is known', 'gone'],
])('it is not asked while %s', async (_, reading) => {
  supervisor.reading = reading;
  release();
  await pass(60_000);
  expect(asked()).toEqual([]);
});

test('one that always fails is asked four times in all', async () => {
  supervisor.updateResult = { ok: false, problem: 'x' };
  release();
  await pass(3_600_000);
  expect(asked()).toEqual([0, 1000, 5000, 21_000]);
});

test('one that cannot be reached, with an update that is known to wait, is asked when it can', async () => {
  await watch.look();
  supervisor.isHeld = true;
  await watch.look();
  supervisor.reading = 'gone';
  release();
  await pass(3000);
  expect(asked()).toEqual([]);
  supervisor.reading = LOCKED;
  await pass(60_000);
  expect(asked()).toEqual([5000]);
});

test.each([50, 150, 250])('a lease that is taken %i ms later stops it', async (laterMs) => {
  supervisor.takesMs = 100;
  supervisor.updateResult = { ok: false, problem: 'x' };
  release();
  await pass(laterMs);
  hold();
  await pass(60_000);
  expect(asked()).toEqual(laterMs < 100 ? [] : [100]);
});

test('an update that is being applied needs no asking', async () => {
  supervisor.takesMs = 100;
  release();
  await pass(50);
  supervisor.isSupervisors = true;
  await pass(60_000);
  expect(asked()).toEqual([]);
});

test('leases that end and begin within a second cost one request a second at most, and the last is not forgotten', async () => {
  for (let index = 0; index < 20; index += 1) {
    hold();
    await pass(60);
    release();
    await pass(40);
  }
  await pass(60_000);
  expect(asked()).toEqual([60, 1060, 2060]);
});

test.each([200, 900, 1500, 2500])('a release while the one before it is still being asked for, %i ms later, costs one request of its own at most', async (laterMs) => {
  supervisor.takesMs = 1000;
  supervisor.updateResult = { ok: false, problem: 'x' };
  release();
  await pass(laterMs - 100);
  hold();
  await pass(100);
  release();
  supervisor.updateResult = { ok: true, status: 204 };
  await pass(600_000);
  const before = supervisor.updates.filter(({ atMs }) => atMs < laterMs);
  expect(supervisor.updates.length - before.length).toBe(1);
});

test('after an end nothing is begun', async () => {
  release();
  await pass(0);
  hold();
  release();
  await retry.close();
  await pass(60_000);
  expect(asked()).toEqual([0]);
});
