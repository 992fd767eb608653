import { Coordinator } from '../support/coordinator';
import { ASK, fleetOf, GIVE_BACK } from '../support/fleet-device';
import { FleetOfTwo, type Member, type WaitingKind } from '../support/fleet-of-two';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import type { Hold } from '../support/turn-gate';
import { until } from '../support/until';

/**
 * Two devices and one slot: at each step of a turn every part is killed by SIGKILL and starts again, one after the other. Then both devices
 * have to get their release or their reboot. The tests run side by side, since most of their time is waiting.
 */

afterAll(async () => {
  FleetOfTwo.cleanUp();
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  await Coordinator.cleanUp();
});

interface Step {
  readonly name: string;
  readonly what: WaitingKind;
  /** What is kept from the devices or their server, so that the step lasts. */
  readonly hold?: Hold;
  /** Other means for that, before the first device asks. */
  readonly prepare?: (fleet: FleetOfTwo) => void;
  /** What may happen only once the second device waits, too. */
  readonly onceBothWait?: (fleet: FleetOfTwo) => void | Promise<void>;
  readonly isSeen: (fleet: FleetOfTwo) => boolean | Promise<boolean>;
  readonly goOn?: (fleet: FleetOfTwo) => void | Promise<void>;
  readonly replacesForMs?: number | undefined;
}

const stateOf = async (member: Member): Promise<string> => (await fleetOf(member)).state as string;
const isHeldUp = ({ gate, first }: FleetOfTwo): boolean => gate.isHolding(first.id);
const isUnwell = ({ first }: FleetOfTwo): void => { first.supervisor.device.status = 'Restarting'; };
const isWell = ({ first }: FleetOfTwo): void => { first.supervisor.device.status = null; };
const settles = async ({ first }: FleetOfTwo): Promise<boolean> => ['settling', 'unwell'].includes(await stateOf(first));
const isInTurn = async ({ first }: FleetOfTwo): Promise<boolean> => (await stateOf(first)) === 'turn';

const STEPS: readonly Step[] = [
  { name: 'the device has asked, and the server has not seen it', what: 'release', hold: { path: ASK, what: 'request' }, isSeen: isHeldUp },
  { name: 'the server has given the turn, and the device does not know', what: 'release', hold: { path: ASK, what: 'answer' }, isSeen: isHeldUp },
  {
    name: 'the device has its turn, and nothing has begun',
    what: 'release',
    prepare: ({ first }) => { first.supervisor.goOffline(); },
    isSeen: isInTurn,
    goOn: async ({ first }) => {
      first.supervisor.goOnline();
      await first.supervisor.overrideLock(false);
    },
  },
  {
    name: 'the Supervisor has the lock, and replaces the containers',
    what: 'release',
    replacesForMs: undefined,
    isSeen: ({ first }) => first.supervisor.device.isReplacing,
    goOn: ({ members }) => { for (const { supervisor } of members) void supervisor.settle(); },
  },
  { name: 'the update is over, and the device is not well yet', what: 'release', prepare: isUnwell, isSeen: async (fleet) => fleet.isDone(fleet.first) && settles(fleet), goOn: isWell },
  { name: 'the device gives its turn back, and the server has not seen it', what: 'release', hold: { path: GIVE_BACK, what: 'request', of: 'first' }, prepare: isUnwell, onceBothWait: isWell, isSeen: isHeldUp },
  { name: 'the server has taken the turn back, and the device does not know', what: 'release', hold: { path: GIVE_BACK, what: 'answer', of: 'first' }, prepare: isUnwell, onceBothWait: isWell, isSeen: isHeldUp },
  { name: 'the device has its turn for a reboot, and has not booted', what: 'reboot', isSeen: isInTurn },
  { name: 'the device has booted in its turn', what: 'reboot', onceBothWait: (fleet) => fleet.boot(fleet.first), isSeen: settles },
];

const PARTS: readonly ((fleet: FleetOfTwo) => Promise<void>)[] = [
  (fleet) => fleet.killSidecar(fleet.second),
  (fleet) => fleet.killSupervisor(fleet.second),
  (fleet) => fleet.killCoordinator(),
  (fleet) => fleet.killSidecar(fleet.first),
  // In the turn it begins the update as soon as it has started, which ends the step.
  (fleet) => fleet.killSupervisor(fleet.first),
];

test.concurrent.each(STEPS)('every part is killed after $name', async ({ what, hold, prepare, onceBothWait, isSeen, goOn, ...rest }) => {
  const fleet = await FleetOfTwo.start(what, 'replacesForMs' in rest ? rest.replacesForMs : 300);
  const { first, second, gate, history } = fleet;
  gate.holdUp(hold ?? null);
  await Promise.all([fleet.wait(first), fleet.wait(second)]);
  prepare?.(fleet);
  await fleet.ask(first);
  await until(() => gate.isHolding(first.id) || history.inTurn === first.id, 40_000);
  await fleet.ask(second);
  await until(() => gate.isHolding(second.id) || history.isRefused(second.id), 40_000);
  await onceBothWait?.(fleet);
  for (const kill of PARTS) {
    await until(() => isSeen(fleet), 40_000);
    await kill(fleet);
  }
  await goOn?.(fleet);
  await fleet.finish();
  expect(history.violations()).toEqual([]);
  expect(await fleet.holders()).toEqual([]);
}, 180_000);
