import { setTimeout as sleep } from 'node:timers/promises';
import { Coordinator } from '../support/coordinator';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { startDevice, type UpdatableDevice } from '../support/updatable-device';
import { until } from '../support/until';

/** The whole chain on one machine: a coordinator, and eight devices of which no more than two may be down at once. */

const DEVICES = 8;
const SLOTS = 2;

let coordinator: Coordinator;
let devices: UpdatableDevice[];
let mostAtOnce = 0;
let isWatching = true;

beforeAll(async () => {
  coordinator = await Coordinator.start({ COORDINATOR_GROUPS: `default=${String(SLOTS)}` });
  devices = await Promise.all(Array.from({ length: DEVICES }, (_, index) => startDevice({ replacesForMs: 500, version: ['16.12.0', '17.6.1', '19.0.5'][index % 3] ?? '' }, {
    UPDATE_LOCK_FLEET_URL: coordinator.url.origin,
    UPDATE_LOCK_FLEET_ID: `device-${String(index)}`,
    UPDATE_LOCK_FLEET_SETTLE: '1s',
  })));
  void watch();
}, 60_000);

afterAll(async () => {
  isWatching = false;
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  await Coordinator.cleanUp();
});

/** Looks all the time how many are down. */
async function watch(): Promise<void> {
  while (isWatching) {
    mostAtOnce = Math.max(mostAtOnce, devices.filter(({ supervisor }) => supervisor.device.isReplacing).length);
    await sleep(2);
  }
}

const updated = (commit: string): number => devices.filter(({ supervisor }) => supervisor.device.current.release.commit === commit).length;
const statesOf = (): Promise<string[]> => Promise.all(devices.map(async ({ sidecar }) => (await sidecar.send('GET', '/v1/fleet')).body.state as string));
const push = async (): Promise<string> => (await Promise.all(devices.map(({ supervisor }) => supervisor.pushRelease())))[0] ?? '';

test('a release reaches all of them, two at a time, though the coordinator and a device are killed in the middle', async () => {
  const commit = await push();
  await until(() => updated(commit) >= 1, 60_000);
  const { port } = coordinator.url;
  await coordinator.kill();
  const [first] = devices;
  await first?.sidecar.kill();
  coordinator = await Coordinator.start({ COORDINATOR_GROUPS: `default=${String(SLOTS)}`, COORDINATOR_PORT: port }, coordinator.folder);
  if (first !== undefined) devices[0] = { ...first, sidecar: await first.sidecar.startAgain(first.environment) };
  await until(() => updated(commit) === DEVICES, 150_000);
  await until(async () => (await statesOf()).every((state) => state === 'idle'), 60_000);
  expect(mostAtOnce).toBe(SLOTS);
  expect(await coordinator.holders()).toEqual([]);
}, 300_000);

test('a release that breaks devices stops at two of them', async () => {
  for (const { supervisor } of devices) supervisor.device.status = 'Restarting';
  const commit = await push();
  await until(async () => (await statesOf()).filter((state) => state === 'unwell').length === SLOTS, 60_000);
  // Each of the others asks again, in vain.
  const sinceMs = Date.now();
  await until(async () => (await coordinator.group()).waiting.every(({ lastAsked }: { lastAsked: string }) => Date.parse(lastAsked) > sinceMs), 60_000);
  expect(updated(commit)).toBe(SLOTS);
  expect((await coordinator.holders()).length).toBe(SLOTS);
  expect((await coordinator.waiting()).length).toBe(DEVICES - SLOTS);
}, 120_000);
