import { FleetWorld, key, NAMES } from './fleet-world';

const MINUTE = 60_000;
let world: FleetWorld;

beforeEach(() => { jest.useFakeTimers(); });
afterEach(() => {
  world.fleet.close();
  jest.useRealTimers();
});

/** The Supervisor gets our lock, but not that of another service, and gives ours back. */
async function attempt(): Promise<void> {
  world.isUpdating = true;
  await world.pass(20);
  world.isUpdating = false;
  await world.pass(5000);
}

test('an attempt that the lock of another service ends is no update: the turn is given back', async () => {
  world = await FleetWorld.inTurn();
  for (let attempts = 0; attempts < 10; attempts += 1) await attempt();
  expect(world.state).toBe('turn');
  await world.pass(2 * MINUTE);
  expect([world.state, world.isHeld, [...world.turns]]).toEqual(['idle', true, []]);
});

test('a file of the Supervisor that stands is an update', async () => {
  world = await FleetWorld.inTurn();
  world.isUpdating = true;
  await world.pass(2500);
  expect(world.state).toBe('settling');
});

test('an update that ends this process at once has begun', async () => {
  world = await FleetWorld.inTurn();
  world.isUpdating = true;
  await world.pass(20);
  world.restart();
  [world.isUpdating, world.reading] = [false, { waiting: ['release'], trouble: null }];
  await world.pass(60 * MINUTE);
  expect([world.state, world.isHeld]).toEqual(['unwell', false]);
});

test('another release does not wait for the pause that the last has earned', async () => {
  world = await FleetWorld.inTurn();
  await world.pass(12 * MINUTE);
  const { length } = world.asked;
  expect([world.state, length]).toEqual(['idle', 2]);
  world.target = 'release-2';
  await world.pass(200);
  expect([world.state, world.asked.length]).toEqual(['turn', length + 1]);
  // Its own pauses begin with five minutes.
  await world.pass(2 * MINUTE + 5 * MINUTE + 1000);
  expect(world.asked.length).toBe(length + 2);
});

test('the lock stays free while the host reboots, or waits for the lock of another service, though a release waits, too', async () => {
  world = new FleetWorld();
  world.waiting = ['release', 'reboot'];
  await world.pass(MINUTE);
  [world.waiting, world.isRebootNear] = [['release'], true];
  await world.pass(3 * 60 * MINUTE);
  expect([world.state, world.isHeld, [...world.turns]]).toEqual(['turn', false, [key(NAMES)]]);
  world.isRebootNear = false;
  await world.pass(11 * MINUTE);
  expect([world.state, world.isHeld, [...world.turns]]).toEqual(['idle', true, []]);
});

test('a reboot that begins to wait within the turn for a release has its time, too', async () => {
  world = await FleetWorld.inTurn();
  world.waiting = ['release', 'reboot'];
  await world.pass(9 * MINUTE);
  expect(world.state).toBe('turn');
  world.restart({ boot: 'boot-2' });
  world.waiting = [];
  await world.pass(19 * MINUTE);
  expect(world.state).toBe('settling');
});

test('where the cloud is out of reach the Supervisor tries at its own time, so the turn lasts for twenty minutes', async () => {
  world = await FleetWorld.inTurn();
  world.isOnline = false;
  await world.pass(19 * MINUTE);
  expect(world.state).toBe('turn');
  await world.pass(2 * MINUTE);
  expect(world.state).toBe('idle');
});

test('a request that the Supervisor accepts meanwhile does not shorten it, since it asks the cloud first', async () => {
  world = await FleetWorld.inTurn();
  world.isOnline = false;
  await world.pass(5 * MINUTE);
  world.happens({ type: 'update-requested', kind: 'retry', result: 'accepted', detail: '' });
  await world.pass(MINUTE);
  expect(world.state).toBe('turn');
});

test('a Supervisor that never says what waits does not keep the device from updates', async () => {
  world = new FleetWorld();
  world.isKnown = false;
  await world.pass(14 * MINUTE);
  expect([world.isHeld, world.fleet.problem]).toEqual([true, null]);
  await world.pass(2 * MINUTE);
  expect([world.isHeld, world.attendants]).toEqual([false, 1]);
  expect(world.fleet.problem).toMatch(/^The Supervisor has not said/);
  world.isKnown = true;
  await world.pass(100);
  expect([world.isHeld, world.attendants, world.fleet.problem]).toEqual([true, 0, null]);
});

test('a forced update is shown as one that goes on without a turn', () => {
  world = new FleetWorld();
  world.happens({ type: 'lock-lost', cause: 'supervisor', holders: ['@fleet'], atMs: 0 });
  expect(world.events).toContainEqual({ type: 'fleet-turn', result: 'without_turn', detail: 'the update is forced' });
});
