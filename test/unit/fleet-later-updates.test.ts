import { FleetWorld, FULL, key, NAMES } from './fleet-world';

const MINUTE = 60_000;
let world: FleetWorld;

beforeEach(() => { jest.useFakeTimers(); });
afterEach(() => {
  world.fleet.close();
  jest.useRealTimers();
});

const told = (): unknown[] => [world.state, world.isHeld, [...world.turns]];
const GIVEN_BACK = ['idle', true, []];

/** The device has its turn, and the Supervisor has the lock. */
async function updating(): Promise<void> {
  world = await FleetWorld.inTurn();
  world.isUpdating = true;
  await world.pass(5000);
}

/** Behind a lease of the sidecar's own, which holds the lock. */
function waitsBehind(lease: string): void {
  Object.assign(world, { isUpdating: false, waiting: ['release'], reading: { waiting: ['release'], trouble: null }, apps: [lease] });
}

/** A host OS that waits, after the device has booted for it. */
async function booted(waiting: ('release' | 'reboot')[]): Promise<void> {
  world = new FleetWorld();
  world.waiting = waiting;
  await world.pass(200);
  world.restart({ boot: 'boot-2' });
}

test('a newer release that waits behind a soak does not keep the turn, though the sidecar has been restarted', async () => {
  await updating();
  [world.target, world.runs] = ['release-2', 'release-1'];
  waitsBehind('@soak');
  world.restart();
  await world.pass(6 * MINUTE);
  expect(told()).toEqual(GIVEN_BACK);
});

test('a change of variables that waits, of the same release, does not keep it either', async () => {
  await updating();
  [world.isUpdating, world.waiting, world.runs] = [false, [], 'release-1'];
  await world.pass(MINUTE);
  waitsBehind('@window');
  world.restart();
  await world.pass(6 * MINUTE);
  expect(told()).toEqual(GIVEN_BACK);
});

test('while the device does not have the release of its turn, a newer one in its place is no later update: containers may be missing', async () => {
  await updating();
  [world.target, world.runs] = ['release-2', 'release-0'];
  waitsBehind('@soak');
  world.restart({ boot: 'boot-2' });
  await world.pass(60 * MINUTE);
  expect(told()).toEqual(['unwell', false, [key(NAMES)]]);
});

test('a release that has not begun, and is held back after the boot for the host OS, has a turn of its own later', async () => {
  await booted(['release', 'reboot']);
  waitsBehind('@window');
  await world.pass(21 * MINUTE);
  expect(told()).toEqual(GIVEN_BACK);
});

test('one that is not held back then follows in the same turn', async () => {
  await booted(['release', 'reboot']);
  Object.assign(world, { waiting: ['release'], reading: { waiting: ['release'], trouble: null } });
  await world.pass(60 * MINUTE);
  expect(told()).toEqual(['unwell', false, [key(NAMES)]]);
});

test('another reboot that waits after the boot does not keep the turn', async () => {
  await booted(['reboot']);
  Object.assign(world, { waiting: ['reboot'], reading: { waiting: ['reboot'], trouble: null }, apps: ['app'] });
  world.restart();
  await world.pass(21 * MINUTE);
  expect(told()).toEqual(GIVEN_BACK);
});

test('power was cut before anything had begun, and the window has closed: the turn is given back', async () => {
  world = await FleetWorld.inTurn();
  world.restart({ boot: 'boot-2' });
  waitsBehind('@window');
  await world.pass(3 * MINUTE);
  expect(told()).toEqual(GIVEN_BACK);
});

test('a reboot for the host OS that nobody has seen coming settles for its twenty minutes', async () => {
  await updating();
  Object.assign(world, { isUpdating: false, waiting: [], runs: 'release-1', os: null });
  world.restart({ boot: 'boot-2' });
  await world.pass(1000);
  world.os = 'balenaOS 2';
  await world.pass(19 * MINUTE);
  expect(world.state).toBe('settling');
  await world.pass(2 * MINUTE);
  expect(told()).toEqual(GIVEN_BACK);
});

test('a boot with the same host OS does not', async () => {
  await updating();
  Object.assign(world, { isUpdating: false, waiting: [], runs: 'release-1' });
  world.restart({ boot: 'boot-2' });
  await world.pass(6 * MINUTE);
  expect(told()).toEqual(GIVEN_BACK);
});

test('a server that is gone before it has taken the turn back does not keep the device from updates for ever', async () => {
  world = new FleetWorld(NAMES, 60 * MINUTE);
  world.waiting = ['release'];
  await world.pass(200);
  world.isUpdating = true;
  await world.pass(5000);
  [world.isUpdating, world.waiting, world.fate] = [false, [], 'lost before'];
  await world.pass(10 * MINUTE);
  expect(world.state).toBe('returning');
  [world.waiting, world.target] = [['release'], 'release-2'];
  await world.pass(59 * MINUTE);
  expect([world.state, world.isHeld, world.asked.length]).toEqual(['asking', true, 1]);
  await world.pass(40 * MINUTE);
  expect([world.state, world.isHeld]).toEqual(['turn', false]);
});

test('the turn is given back before the next one is asked for', async () => {
  await updating();
  [world.isUpdating, world.waiting, world.fate] = [false, [], 'lost before'];
  await world.pass(6 * MINUTE);
  [world.waiting, world.fate] = [['release'], 'answered'];
  const { length } = world.returned;
  await world.pass(2 * MINUTE);
  expect(world.state).toBe('turn');
  expect([world.returned.length, world.asked.length]).toEqual([length + 1, 2]);
});

test('a turn that is given while the device has stopped asking and asks again is given back before it is asked for', async () => {
  world = new FleetWorld();
  world.waiting = ['release'];
  await world.pass(10);
  world.waiting = [];
  await world.pass(1);
  world.waiting = ['release'];
  await world.pass(1000);
  expect(world.returned).toEqual([NAMES]);
  expect([...told(), world.asked.length]).toEqual(['turn', false, [key(NAMES)], 2]);
});

test('while a full group is asked, what may have been given under other names is given back', async () => {
  world = new FleetWorld();
  world.fate = 'lost after';
  world.waiting = ['release'];
  await world.pass(200);
  [world.fate, world.refusal] = ['answered', FULL];
  world.restart({ names: { ...NAMES, group: 'canary' } });
  await world.pass(MINUTE);
  expect([world.state, world.turns.size, world.returned]).toEqual(['asking', 0, [NAMES]]);
});

test('with a Supervisor that is too old a reboot of the host OS that waits gets its turn', async () => {
  world = new FleetWorld();
  [world.tooOld, world.waiting, world.apps] = ['that needs another one', ['release'], ['app']];
  await world.pass(1000);
  expect([world.state, world.isHeld, world.fleet.problem]).toEqual(['idle', false, 'Releases are given no turn: that needs another one']);
  world.waiting = ['release', 'reboot'];
  world.refusal = FULL;
  await world.pass(1000);
  expect([world.state, world.isHeld]).toEqual(['idle', true]);
  world.apps = [];
  await world.pass(200);
  expect([world.state, world.isHeld]).toEqual(['asking', true]);
  world.refusal = null;
  await world.pass(30_000);
  expect(told()).toEqual(['turn', false, [key(NAMES)]]);
  world.restart({ boot: 'boot-2' });
  world.waiting = [];
  await world.pass(21 * MINUTE);
  expect([world.state, [...world.turns]]).toEqual(['idle', []]);
});
