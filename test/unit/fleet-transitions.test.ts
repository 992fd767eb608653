import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FleetWorld, FULL, key, NAMES } from './fleet-world';

const MINUTE = 60_000;
let world: FleetWorld;

beforeEach(() => { jest.useFakeTimers(); });
afterEach(() => {
  world.fleet.close();
  jest.useRealTimers();
});

/** From, what happens, to: as in the table of docs/fleet.md; then how to get there, and what else has to be so. */
type Row = readonly [from: string, what: string, to: string, act: () => Promise<void>, isSo?: () => void];

const isHeld = (): void => { expect(world.isHeld).toBe(true); };
const isFree = (): void => { expect(world.isHeld).toBe(false); };
const hasTurn = (): void => { expect([world.isHeld, [...world.turns]]).toEqual([false, [key(NAMES)]]); };
const isGivenBack = (): void => { expect([world.isHeld, world.turns.size, world.returned.length]).toEqual([true, 0, 1]); };

async function idle(): Promise<void> {
  world = new FleetWorld();
  await world.pass(1000);
}

async function asking(): Promise<void> {
  await idle();
  world.refusal = FULL;
  world.waiting = ['release'];
  await world.pass(200);
}

async function unanswered(): Promise<void> {
  await idle();
  world.fate = 'lost after';
  world.waiting = ['release'];
  await world.pass(200);
}

async function inTurn(): Promise<void> {
  world = await FleetWorld.inTurn();
}

async function settling(): Promise<void> {
  await inTurn();
  world.isUpdating = true;
  await world.pass(5000);
  Object.assign(world, { isUpdating: false, waiting: [], runs: world.target });
  await world.pass(1000);
}

async function unwell(): Promise<void> {
  await settling();
  world.reading = { waiting: [], trouble: 'not running: main (Restarting)' };
  await world.pass(6 * MINUTE);
}

/** The server does not answer. */
async function returning(): Promise<void> {
  await settling();
  world.fate = 'lost before';
  await world.pass(6 * MINUTE);
}

/** The turn is over without anything having begun. */
async function pausing(): Promise<void> {
  await inTurn();
  await world.pass(2.5 * MINUTE);
}

const FROM: Record<string, () => Promise<void>> = { idle, asking, turn: inTurn, settling, unwell, returning };

const ROWS: readonly Row[] = [
  ['start', 'the state directory has nothing about a turn', 'idle', async () => { await idle(); world.restart(); await world.pass(1000); }, isHeld],
  ['start', 'the device was asking, and something still waits', 'asking', async () => { await asking(); world.restart(); await world.pass(200); }, () => { expect(world.asked.length).toBe(2); }],
  ['start', 'the device was asking, and nothing waits any more', 'returning', async () => { await unanswered(); world.waiting = []; world.restart(); await world.pass(1000); }, isHeld],
  ['start', 'the device has a turn in which nothing has begun', 'turn', async () => { await inTurn(); world.restart({ boot: 'boot-2' }); await world.pass(1000); }, hasTurn],
  ['start', 'the device has a turn in which an update has begun', 'settling', async () => { await inTurn(); world.isUpdating = true; await world.pass(20); world.restart({ boot: 'boot-2' }); await world.pass(1000); }, hasTurn],
  ['start', 'the device has a turn for a reboot of the host OS, and has rebooted', 'settling', async () => {
    world = new FleetWorld();
    world.waiting = ['reboot'];
    await world.pass(200);
    world.restart({ boot: 'boot-2' });
    world.waiting = [];
    await world.pass(19 * MINUTE);
  }, hasTurn],
  ['idle', 'something waits, but another lease holds the lock', 'idle', async () => { world.apps = ['app']; world.waiting = ['release']; await world.pass(MINUTE); }, () => { expect(world.asked).toEqual([]); }],
  ['idle', 'something waits, and nothing but `@fleet` holds it back', 'asking', async () => { world.refusal = FULL; world.waiting = ['release']; await world.pass(200); }, isHeld],
  ['idle', 'something waits, but the pause after a turn in which nothing began is not over', 'idle', async () => { await pausing(); await world.pass(4 * MINUTE); }, isGivenBack],
  ['idle', 'another release becomes the target during the pause', 'asking', async () => { await pausing(); [world.target, world.refusal] = ['release-2', FULL]; await world.pass(200); }, isHeld],
  ['idle', 'somebody allows updates', 'idle', async () => { world.isAllowed = true; world.waiting = ['release']; await world.pass(1000); }, () => { isFree(); expect(world.asked).toEqual([]); }],
  ['idle', 'the Supervisor has not said for 15 minutes what waits', 'idle', async () => { world.isKnown = false; await world.pass(16 * MINUTE); }, isFree],
  ['idle', 'the Supervisor is older than 16.2', 'idle', async () => { world.tooOld = 'that needs another one'; world.waiting = ['release']; await world.pass(1000); }, () => { isFree(); expect(world.asked).toEqual([]); }],
  ['asking', 'the server answers 200', 'turn', async () => { world.refusal = null; await world.pass(25_000); }, hasTurn],
  ['asking', 'the server refuses', 'asking', async () => { await world.pass(25_000); }, () => { isHeld(); expect(world.asked.length).toBe(2); }],
  ['asking', 'there is no answer, or an unclear one', 'asking', async () => { world.fate = 'bad gateway'; await world.pass(MINUTE); }, isHeld],
  ['asking', 'there is no answer at all for `UPDATE_LOCK_FLEET_MAX_WAIT`', 'turn', async () => {
    world = new FleetWorld(NAMES, 60 * MINUTE);
    [world.waiting, world.fate] = [['release'], 'lost before'];
    await world.pass(95 * MINUTE);
  }, () => { isFree(); expect([world.turns.size, world.memory.turn]).toEqual([0, null]); }],
  ['asking', 'nothing waits for a turn any more, and the last answer was a refusal', 'idle', async () => { world.waiting = []; await world.pass(1000); }, () => { isHeld(); expect(world.returned).toEqual([]); }],
  ['asking', 'nothing waits for a turn any more, and there was no clear answer', 'returning', async () => { await unanswered(); world.waiting = []; await world.pass(1000); }, isHeld],
  ['turn', "the Supervisor's lock has been there for 2 seconds", 'settling', async () => { world.isUpdating = true; await world.pass(2500); }, hasTurn],
  ['turn', "the Supervisor's lock goes away within 2 seconds", 'turn', async () => { world.isUpdating = true; await world.pass(1000); world.isUpdating = false; await world.pass(5000); }, hasTurn],
  ['turn', 'nothing waits any more', 'settling', async () => { world.waiting = []; await world.pass(1000); }, hasTurn],
  ['turn', 'no update and no reboot begins in time', 'returning', async () => { world.fate = 'lost before'; await world.pass(2.5 * MINUTE); }, isHeld],
  ['turn', 'the device has booted, and the host OS is no longer the one that it had when it got its turn', 'settling', async () => { world.restart({ boot: 'boot-2' }); world.os = 'balenaOS 2'; await world.pass(19 * MINUTE); }, hasTurn],
  ['turn', 'the deadline drains the apps', 'turn', async () => { world.deadline.isDraining = true; await world.pass(30 * MINUTE); }, hasTurn],
  ['turn', 'the host OS reboots, or waits for the lock of another service', 'turn', async () => { world.isRebootNear = true; await world.pass(30 * MINUTE); }, hasTurn],
  ['turn', 'the device went on without the server, and the update has begun, or nothing has begun within 20 minutes', 'idle', async () => {
    world = new FleetWorld(NAMES, 60 * MINUTE);
    [world.waiting, world.fate] = [['release'], 'lost before'];
    await world.pass(95 * MINUTE);
    [world.fate, world.isUpdating] = ['answered', true];
    await world.pass(20_000);
    world.waiting = [];
    world.isUpdating = false;
    await world.pass(10 * MINUTE);
  }, isHeld],
  ['settling', 'a check finds something wrong', 'settling', async () => { await world.pass(4 * MINUTE); world.reading = { waiting: [], trouble: 'x' }; await world.pass(20_000); world.reading = { waiting: [], trouble: null }; await world.pass(4 * MINUTE); }, hasTurn],
  ['settling', 'the time to settle is over, and the device is not well', 'unwell', async () => { world.reading = { waiting: [], trouble: 'x' }; await world.pass(6 * MINUTE); }, hasTurn],
  ['settling', 'the Supervisor takes the lock again', 'settling', async () => { await world.pass(4 * MINUTE); world.isUpdating = true; await world.pass(5000); world.isUpdating = false; await world.pass(4 * MINUTE); }, hasTurn],
  ['settling', 'the host OS is no longer the one that the device had when it got its turn', 'settling', async () => { world.os = 'balenaOS 2'; world.restart({ boot: 'boot-2' }); await world.pass(19 * MINUTE); }, hasTurn],
  ['settling', 'the update that waits is a later one', 'returning', async () => {
    Object.assign(world, { target: 'release-2', waiting: ['release'], apps: ['@soak'], reading: { waiting: ['release'], trouble: null }, fate: 'lost before' });
    await world.pass(6 * MINUTE);
  }, isHeld],
  ['settling', 'the device has been well for long enough', 'returning', async () => { world.fate = 'lost before'; await world.pass(6 * MINUTE); }, isHeld],
  ['unwell', 'the device is well again', 'settling', async () => { world.reading = { waiting: [], trouble: null }; await world.pass(MINUTE); }, hasTurn],
  ['returning', 'the server answers 200', 'idle', async () => { world.fate = 'answered'; await world.pass(10 * MINUTE); }, () => { expect([world.isHeld, world.turns.size]).toEqual([true, 0]); }],
  ['returning', 'there is any other answer, or none', 'returning', async () => { world.fate = 'bad gateway'; await world.pass(10 * MINUTE); }, isHeld],
  ['returning', 'something waits, and nothing but `@fleet` holds it back', 'asking', async () => { world.waiting = ['release']; await world.pass(200); }, () => { isHeld(); expect(world.asked.length).toBe(1); }],
];

test.each(ROWS.map((row) => [row.slice(0, 3).join(': '), row] as const))('%s', async (_, [from, , to, act, isSo]) => {
  await FROM[from]?.();
  if (FROM[from] !== undefined) expect(world.state).toBe(from);
  await act();
  expect(world.state).toBe(to);
  isSo?.();
});

test('the table of the documentation has these rows, and no others', () => {
  world = new FleetWorld();
  const text = readFileSync(join(__dirname, '../../docs/fleet.md'), 'utf8');
  const table = /\n\| from \| what happens \|.*\n\|[- |]+\n((?:\|.*\n)+)/.exec(text)?.[1] ?? '';
  const rows = table.trimEnd().split('\n').map((line) => line.split('|').slice(1, 4).map((cell) => cell.trim()));
  expect(rows).toEqual(ROWS.map(([from, what, to]) => [from === 'start' ? '(start)' : `\`${from}\``, what, `\`${to}\``]));
});
