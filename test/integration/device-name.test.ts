import { join } from 'node:path';
import { EventStream } from '../support/event-stream';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

const UUID = '7fc292ba8b2a41c0b6a4d3c5e8f1a290';
const AT_INIT = { BALENA_DEVICE_NAME_AT_INIT: 'holy-wildflower', BALENA_DEVICE_UUID: UUID };

async function deviceOf(sidecar: Sidecar): Promise<unknown> {
  return ((await sidecar.send('GET', '/v1/lock')).body as { device: unknown }).device;
}

async function seriesOf(sidecar: Sidecar): Promise<string[]> {
  return (await sidecar.send('GET', '/metrics')).text.split('\n').filter((line) => line.startsWith('update_lock_device_info'));
}

test("without the Supervisor's API the name is that of the container's start", async () => {
  const sidecar = await Sidecar.start({ environment: AT_INIT });
  expect(await deviceOf(sidecar)).toEqual({ name: 'holy-wildflower', uuid: UUID });
  expect(await seriesOf(sidecar)).toEqual([`update_lock_device_info{name="holy-wildflower",uuid="${UUID}"} 1`]);
});

test('on another machine there is none', async () => {
  const sidecar = await Sidecar.start({ environment: { BALENA_DEVICE_NAME_AT_INIT: '' } });
  expect(await deviceOf(sidecar)).toBeNull();
  expect(await seriesOf(sidecar)).toEqual(['update_lock_device_info{name="",uuid=""} 1']);
});

describe('with it', () => {
  async function start(prepare: (supervisor: StandInSupervisor) => void): Promise<{ sidecar: Sidecar; supervisor: StandInSupervisor }> {
    const folder = makeFolder();
    const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
    prepare(supervisor);
    const environment = { ...supervisor.environment, ...AT_INIT, UPDATE_LOCK_SUPERVISOR_POLL: '200ms' };
    return { sidecar: await Sidecar.start({ folder, environment }), supervisor };
  }

  test('a device that was renamed has its new name, in a metric of its own, and readers of events are told', async () => {
    const { sidecar, supervisor } = await start((stub) => { stub.name = 'kitchen "north"'; });
    await sidecar.put('app');
    await until(async () => JSON.stringify(await deviceOf(sidecar)) === JSON.stringify({ name: 'kitchen "north"', uuid: UUID }));
    const stream = await EventStream.open(sidecar.target);
    await stream.opened();
    supervisor.name = 'kitchen south';
    // Since something waits, people look.
    await supervisor.pushRelease();
    await stream.next(({ event, data }) => event === 'lock' && data.device.name === 'kitchen south');
    expect(await seriesOf(sidecar)).toEqual([`update_lock_device_info{name="kitchen south",uuid="${UUID}"} 1`]);
  });
});
