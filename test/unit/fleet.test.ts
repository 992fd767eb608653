import { FleetWorld, FULL, key, NAMES } from './fleet-world';

const MINUTE = 60_000;
let world: FleetWorld;

beforeEach(() => { jest.useFakeTimers(); });
afterEach(() => {
  world.fleet.close();
  jest.useRealTimers();
});

const results = (): string[] => world.events.flatMap((event) => (event.type === 'fleet-turn' ? [event.result] : []));
const states = (): string[] => world.events.flatMap((event) => (event.type === 'fleet-changed' ? [event.state] : []));

test('a device on which nothing waits asks for nothing, and says once a day that it wants nothing', async () => {
  world = new FleetWorld();
  await world.pass(5 * 24 * 60 * MINUTE);
  expect(world.asked).toEqual([]);
  expect(world.returned).toHaveLength(5);
  expect(world.isHeld).toBe(true);
});

test('a good update: asked last, taken in the turn, settled, given back with the lock held', async () => {
  world = new FleetWorld();
  world.apps = ['recorder'];
  world.waiting = ['release'];
  await world.pass(10 * MINUTE);
  expect(world.asked).toEqual([]);
  world.apps = [];
  await world.pass(200);
  expect([world.state, world.isHeld, world.turns.has(key(NAMES))]).toEqual(['turn', false, true]);
  world.isUpdating = true;
  await world.pass(30_000);
  world.isUpdating = false;
  world.waiting = [];
  await world.pass(MINUTE);
  expect([world.state, world.isHeld, world.returned]).toEqual(['settling', false, []]);
  await world.pass(6 * MINUTE);
  expect([world.state, world.isHeld, world.turns.size]).toEqual(['idle', true, 0]);
  expect(states()).toEqual(['asking', 'turn', 'settling', 'returning', 'idle']);
  expect(results()).toEqual(['granted']);
});

test('an update that takes the lock twice settles after the second time', async () => {
  world = await FleetWorld.inTurn();
  world.isUpdating = true;
  await world.pass(10_000);
  world.isUpdating = false;
  world.reading = { waiting: ['release'], trouble: null };
  await world.pass(4 * MINUTE);
  world.isUpdating = true;
  await world.pass(10_000);
  [world.isUpdating, world.waiting, world.reading] = [false, [], { waiting: [], trouble: null }];
  await world.pass(4 * MINUTE);
  expect(world.state).toBe('settling');
  await world.pass(2 * MINUTE);
  expect(world.state).toBe('idle');
});

test('a device that does not get well keeps its turn, until it does', async () => {
  world = await FleetWorld.inTurn();
  world.isUpdating = true;
  await world.pass(10_000);
  [world.isUpdating, world.waiting, world.reading] = [false, [], { waiting: [], trouble: 'not running: main (Restarting)' }];
  await world.pass(24 * 60 * MINUTE);
  expect([world.state, world.isHeld, world.turns.size, world.fleet.status.detail]).toEqual(['unwell', false, 1, 'not running: main (Restarting)']);
  world.reading = { waiting: [], trouble: null };
  await world.pass(6 * MINUTE);
  expect([world.state, world.turns.size]).toEqual(['idle', 0]);
});

test('a group that is full is asked again after the time that it says, and its reason is that of the lease', async () => {
  world = new FleetWorld();
  world.refusal = FULL;
  world.waiting = ['release'];
  await world.pass(65_000);
  expect([world.state, world.isHeld, world.asked.length]).toEqual(['asking', true, 4]);
  expect(world.reasons.at(-1)).toBe(FULL.detail);
  world.refusal = null;
  await world.pass(25_000);
  expect(world.state).toBe('turn');
});

test.each([[0, 5000], [3_600_000, 900_000]])('a server that says %i ms is asked after %i', async (retryAfterMs, expected) => {
  world = new FleetWorld();
  world.refusal = { ...FULL, retryAfterMs };
  world.waiting = ['release'];
  await world.pass(expected - 100);
  expect(world.asked).toHaveLength(1);
  await world.pass(expected / 5 + 1000);
  expect(world.asked).toHaveLength(2);
});

test('a turn in which nothing begins is given back after two minutes, and asked for again later and later', async () => {
  world = await FleetWorld.inTurn();
  await world.pass(2 * MINUTE - 10_000);
  expect(world.state).toBe('turn');
  await world.pass(20_000);
  expect([world.state, world.isHeld, world.turns.size]).toEqual(['idle', true, 0]);
  await world.pass(4 * MINUTE);
  expect(world.asked).toHaveLength(1);
  await world.pass(6 * 60 * MINUTE);
  expect(results().filter((result) => result === 'nothing_began').length).toBeGreaterThan(5);
  // 5, 10, 15 and so on up to 60 minutes, and two in each turn.
  expect(world.asked.length).toBeLessThan(13);
});

test('where the Supervisor cannot be made to try now the turn lasts for twenty minutes', async () => {
  world = await FleetWorld.inTurn();
  world.happens({ type: 'update-requested', kind: 'retry', result: 'ignored', detail: '' });
  await world.pass(19 * MINUTE);
  expect(world.state).toBe('turn');
  await world.pass(2 * MINUTE);
  expect(world.state).toBe('idle');
});

test('for a reboot it lasts for ten minutes, and the device settles for twenty after the boot', async () => {
  world = new FleetWorld();
  world.waiting = ['reboot'];
  await world.pass(9 * MINUTE);
  expect(world.state).toBe('turn');
  world.restart({ boot: 'boot-2' });
  world.waiting = [];
  await world.pass(19 * MINUTE);
  expect([world.state, world.isHeld]).toEqual(['settling', false]);
  await world.pass(2 * MINUTE);
  expect([world.state, world.turns.size]).toEqual(['idle', 0]);
});

test('a power cut in the middle of an update: the device finishes it, though the server cannot be reached', async () => {
  world = await FleetWorld.inTurn();
  world.isUpdating = true;
  await world.pass(1000);
  world.fate = 'lost before';
  world.restart({ boot: 'boot-2' });
  expect(world.isHeld).toBe(false);
  [world.isUpdating, world.reading] = [false, { waiting: ['release'], trouble: null }];
  await world.pass(60 * MINUTE);
  expect([world.state, world.isHeld]).toEqual(['unwell', false]);
  [world.waiting, world.reading] = [[], { waiting: [], trouble: null }];
  await world.pass(6 * MINUTE);
  expect([world.state, world.turns.size]).toEqual(['returning', 1]);
  world.fate = 'answered';
  await world.pass(6 * MINUTE);
  expect([world.state, world.turns.size]).toEqual(['idle', 0]);
});

test("the sidecar's own container is replaced within the turn", async () => {
  world = await FleetWorld.inTurn();
  world.isUpdating = true;
  await world.pass(1000);
  world.restart();
  await world.pass(1000);
  expect([world.state, world.isHeld]).toEqual(['settling', false]);
});

test('group, id and URL are changed by the update itself: the turn is given back under the names under which it was given', async () => {
  world = await FleetWorld.inTurn();
  world.isUpdating = true;
  await world.pass(1000);
  [world.isUpdating, world.waiting] = [false, []];
  const names = { url: 'https://elsewhere', group: 'other', id: 'new' };
  world.restart({ names });
  await world.pass(7 * MINUTE);
  expect([world.state, world.turns.size]).toEqual(['idle', 0]);
  expect(world.returned).toEqual([NAMES]);
  expect(world.fleet.status.names).toEqual(names);
});

test.each(['lost after', 'bad gateway'] as const)('a turn whose answer is %s is given back when the device stops asking', async (fate) => {
  world = new FleetWorld();
  world.fate = fate;
  world.waiting = ['release'];
  await world.pass(200);
  expect([world.state, world.isHeld, world.turns.size]).toEqual(['asking', true, 1]);
  world.waiting = [];
  await world.pass(1000);
  expect(world.state).toBe('returning');
  world.fate = 'answered';
  await world.pass(6 * MINUTE);
  expect([world.state, world.turns.size, world.memory.asked]).toEqual(['idle', 0, null]);
});

test('after a crash in the middle of asking, too', async () => {
  world = new FleetWorld();
  world.fate = 'lost after';
  world.waiting = ['release'];
  await world.pass(200);
  [world.waiting, world.fate, world.isKnown] = [[], 'answered', false];
  world.restart();
  await world.pass(MINUTE);
  // The Supervisor has not answered yet: perhaps the update still waits.
  expect(world.turns.size).toBe(1);
  world.isKnown = true;
  await world.pass(1000);
  expect(world.turns.size).toBe(0);
});

test('a refusal without doubt leaves nothing to give back', async () => {
  world = new FleetWorld();
  world.refusal = FULL;
  world.waiting = ['release'];
  await world.pass(1000);
  world.waiting = [];
  await world.pass(10 * MINUTE);
  expect([world.state, world.returned]).toEqual(['idle', []]);
});

test('a release that is withdrawn after the turn was given costs the time to settle', async () => {
  world = await FleetWorld.inTurn();
  world.waiting = [];
  await world.pass(6 * MINUTE);
  expect([world.state, world.turns.size]).toEqual(['idle', 0]);
});

test('somebody allows updates: the lock is free without a turn, and nothing is asked', async () => {
  world = new FleetWorld();
  world.isAllowed = true;
  world.waiting = ['release'];
  await world.pass(10 * MINUTE);
  expect([world.isHeld, world.asked]).toEqual([false, []]);
  world.isAllowed = false;
  await world.pass(1000);
  expect(world.asked).toHaveLength(1);
});

test('without any answer for long enough it goes on without a turn; a refusal is an answer', async () => {
  world = new FleetWorld(NAMES, 60 * MINUTE);
  world.waiting = ['release'];
  world.refusal = FULL;
  await world.pass(24 * 60 * MINUTE);
  expect(world.state).toBe('asking');
  world.fate = 'lost before';
  await world.pass(59 * MINUTE);
  expect([world.state, world.isHeld]).toEqual(['asking', true]);
  await world.pass(35 * MINUTE);
  expect([world.state, world.isHeld]).toEqual(['turn', false]);
  expect(results()).toContain('without_turn');
  expect(world.fleet.status).toMatchObject({ server: 'unreachable', detail: 'without a turn, since the server has not answered for too long' });
});

test('when the deadline has passed it asks although apps hold the lock, but not while the windows do', async () => {
  world = new FleetWorld();
  world.waiting = ['release'];
  world.apps = ['recorder', '@window'];
  world.deadline.isDue = true;
  await world.pass(MINUTE);
  expect(world.asked).toEqual([]);
  world.apps = ['recorder'];
  await world.pass(200);
  expect(world.state).toBe('turn');
  // The apps have their grace first.
  world.deadline.isDraining = true;
  await world.pass(10 * MINUTE);
  expect(world.state).toBe('turn');
});

test('a window that closes within the turn: nothing begins, and the turn is given back', async () => {
  world = await FleetWorld.inTurn();
  world.apps = ['@window'];
  await world.pass(3 * MINUTE);
  expect([world.state, world.turns.size]).toEqual(['idle', 0]);
  await world.pass(60 * MINUTE);
  expect(world.asked).toHaveLength(1);
});
