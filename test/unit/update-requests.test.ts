import type { UpdateResult } from '../../sidecar/supervisor/supervisor-api';
import { UpdateRequests } from '../../sidecar/supervisor/update-requests';
import type { ReleaseWatch } from '../../sidecar/supervisor/release-watch';
import { FakeSupervisor, LOCKED, NOTHING, pass, PENDING } from './fake-supervisor';

const IGNORED_OR_HELIOS: UpdateResult = { ok: true, status: 202 };

let supervisor: FakeSupervisor;
let watch: ReleaseWatch;
let requests: UpdateRequests;

beforeEach(async () => {
  jest.useFakeTimers();
  supervisor = new FakeSupervisor();
  const { api, lock } = supervisor;
  watch = supervisor.watch();
  requests = new UpdateRequests({ api, watch, lock, emit: supervisor.emit });
  supervisor.reading = LOCKED;
  supervisor.isHeld = true;
  await watch.look();
  supervisor.isHeld = false;
});
afterEach(() => jest.useRealTimers());

const byHand = (force = false): ReturnType<UpdateRequests['byHand']> => requests.byHand({ force, peer: 'unix' });

describe('an answer of 202', () => {
  beforeEach(async () => {
    supervisor.updateResult = IGNORED_OR_HELIOS;
    await byHand();
    expect(supervisor.results).toEqual([]);
  });

  test('means accepted if the update then does not wait any more', async () => {
    supervisor.reading = NOTHING;
    await pass(500);
    requests.check();
    expect(supervisor.results).toEqual(['retry accepted']);
  });

  test('means nothing if somebody takes the lock', () => {
    supervisor.isHeld = true;
    requests.check();
    expect(supervisor.results).toEqual(['retry unconfirmed']);
  });

  test('means nothing if the Supervisor does not answer any more', async () => {
    supervisor.reading = 'gone';
    await pass(60_000);
    expect(supervisor.results).toEqual(['retry unconfirmed']);
  });

  test('means nothing if it is asked again, and then what comes of that', async () => {
    await byHand();
    await pass(60_000);
    expect(supervisor.results).toEqual(['retry unconfirmed', 'retry ignored']);
  });

  test('means nothing if the sidecar stops', () => {
    requests.close();
    requests.close();
    expect(supervisor.results).toEqual(['retry unconfirmed']);
  });
});

describe('an answer of 202 with Helios in front', () => {
  beforeEach(async () => {
    supervisor.reading = { ...LOCKED, isBehindHelios: true };
    await watch.look();
    supervisor.updateResult = IGNORED_OR_HELIOS;
    await byHand();
  });

  test('says nothing for 75 s, since Helios asks the cloud first', async () => {
    await pass(75_000);
    expect(supervisor.results).toEqual([]);
    await pass(10_000);
    expect(supervisor.results).toEqual(['retry ignored']);
  });

  test('means accepted if the Supervisor takes the lock at last', async () => {
    await pass(70_000);
    supervisor.isSupervisors = true;
    requests.check();
    expect(supervisor.results).toEqual(['retry accepted']);
  });

  test('means accepted if the update is over by then, though nothing has told of it', async () => {
    await pass(20_000);
    supervisor.reading = NOTHING;
    await pass(79_000);
    requests.check();
    expect(supervisor.results).toEqual(['retry accepted']);
  });
});

test('an answer of 202 while nothing waits tells nothing', async () => {
  supervisor.reading = NOTHING;
  supervisor.updateResult = IGNORED_OR_HELIOS;
  expect(await byHand()).toMatchObject({ ok: true });
  await pass(60_000);
  expect(supervisor.results).toEqual(['retry unconfirmed']);
});

test('what is forced is told before it is asked for, with everybody whom it cuts off', async () => {
  await byHand(true);
  expect(supervisor.updates).toEqual([{ atMs: 0, force: true, cancel: true }]);
  expect(supervisor.events.slice(-2)).toMatchObject([
    { type: 'update-forced', peer: 'unix', holders: ['app'] },
    { type: 'update-requested', kind: 'force', result: 'accepted' },
  ]);
});

test.each([true, false])('a download is never aborted, by force (%s) or not', async (force) => {
  supervisor.reading = { ...PENDING, downloading: true };
  await byHand(force);
  expect(supervisor.updates).toEqual([{ atMs: 0, force, cancel: false }]);
});

test('a Supervisor that cannot be reached is not asked, and nobody is told that it was', async () => {
  supervisor.reading = 'gone';
  expect(await byHand(true)).toEqual({ ok: false, problem: 'gone' });
  expect(supervisor.updates).toEqual([]);
  expect(supervisor.events.some(({ type }) => type === 'update-forced')).toBe(false);
});

test('a request that fails says why', async () => {
  supervisor.updateResult = { ok: false, problem: 'it refuses the API key' };
  expect(await byHand()).toEqual({ ok: false, problem: 'it refuses the API key' });
  expect(supervisor.results).toEqual(['retry failed']);
});
