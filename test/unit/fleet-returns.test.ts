import { FleetWorld, FULL, key, NAMES } from './fleet-world';

const MINUTE = 60_000;
let world: FleetWorld;

beforeEach(() => { jest.useFakeTimers(); });
afterEach(() => {
  world.fleet.close();
  jest.useRealTimers();
});

test('a turn that is given while the device stops asking is given back, though it was refused one before', async () => {
  world = new FleetWorld();
  world.refusal = FULL;
  world.waiting = ['release'];
  await world.pass(200);
  world.refusal = null;
  // The next request is under way when an app takes the lock.
  await world.pass(20_860);
  expect([world.asked.length, world.turns.size]).toEqual([2, 0]);
  world.apps = ['recorder'];
  await world.pass(10);
  expect(world.memory.toReturn).toEqual([NAMES]);
  await world.pass(1000);
  expect([world.state, world.turns.size, world.returned]).toEqual(['idle', 0, [NAMES]]);
});

test('a turn at a server that is gone for good does not keep others from being given back', async () => {
  world = await FleetWorld.inTurn();
  world.isUpdating = true;
  await world.pass(10_000);
  [world.isUpdating, world.waiting] = [false, []];
  const names = { ...NAMES, url: 'https://elsewhere' };
  world.restart({ names });
  world.gone = NAMES.url;
  await world.pass(60 * MINUTE);
  expect([world.state, world.memory.toReturn]).toEqual(['returning', [NAMES]]);
  // The next update has its turn from the new server.
  world.waiting = ['release'];
  await world.pass(200);
  expect(world.state).toBe('turn');
  world.waiting = [];
  await world.pass(10 * MINUTE);
  expect([...world.turns]).toEqual([key(NAMES)]);
  expect(world.memory.toReturn).toEqual([NAMES]);
  expect(world.fleet.status.server).toBe('reachable');
});

test('a process that finds the device in its turn keeps asking what waits', async () => {
  world = await FleetWorld.inTurn();
  world.restart();
  expect(world.attendants).toBe(0);
  await world.pass(1000);
  expect([world.state, world.attendants]).toEqual(['turn', 1]);
  await world.pass(3 * MINUTE);
  expect([world.state, world.attendants]).toEqual(['idle', 0]);
});
