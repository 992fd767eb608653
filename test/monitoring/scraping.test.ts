import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Prometheus, type Alert } from '../support/prometheus';
import { removeFolder } from '../support/remove-folder';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';
import { addressOf, change, copyFor, startHeldBack } from './example';

const WITHIN_MS = 120_000;
jest.setTimeout(2 * WITHIN_MS);

const folders: string[] = [];
afterEach(async () => {
  await Prometheus.cleanUp();
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  for (const folder of folders.splice(0)) await removeFolder(folder);
});

async function startSidecar(environment: Readonly<Record<string, string>> = {}): Promise<Sidecar> {
  return Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', ...environment } });
}

function copy(beside: Sidecar): string {
  const folder = copyFor(beside);
  folders.push(join(folder, '..'));
  return folder;
}

const has = (prometheus: Prometheus, expression: string): Promise<void> => until(async () => (await prometheus.query(expression)).length > 0, WITHIN_MS);

async function alert(prometheus: Prometheus, name: string, state: Alert['state']): Promise<Alert> {
  const found: Alert[] = [];
  await until(async () => {
    found.push(...(await prometheus.alerts()).filter((each) => each.labels['alertname'] === name && each.state === state));
    return found.length > 0;
  }, WITHIN_MS);
  const [first] = found;
  if (first === undefined) throw new Error(name);
  return first;
}

test('a sidecar beside Prometheus and one of a fleet are scraped, each with its device', async () => {
  const beside = await startSidecar();
  const far = await startSidecar();
  const folder = copy(beside);
  const example = join(folder, 'fleet/devices.example.yml');
  change(example, '10.114.102.17:8080', addressOf(far));
  // Nobody listens on this port of any machine.
  change(example, '10.114.102.31:8080', '127.0.0.1:1');
  change(join(folder, 'prometheus.yml'), 'fleet/*.targets.yml', 'fleet/devices.example.yml');
  const prometheus = await Prometheus.start(folder, 'prometheus.yml');
  await has(prometheus, 'update_lock_build_info{device="local",fleet="local"}');
  await has(prometheus, 'update_lock_build_info{device="7fc292ba8b2a41c0b6a4",fleet="greenhouses"}');
  await has(prometheus, 'up{device="c3d1f24de8f24c2d8e05"} == 0');
  const targets = async (): Promise<string[]> => {
    const { activeTargets } = (await prometheus.api('targets')) as { activeTargets: { labels: Record<string, string>; health: string }[] };
    return activeTargets.map(({ labels, health }) => `${String(labels['job'])} ${String(labels['device'])} ${health}`).sort();
  };
  const expected = ['update-lock 7fc292ba8b2a41c0b6a4 up', 'update-lock c3d1f24de8f24c2d8e05 down', 'update-lock local up'];
  await until(async () => String(await targets()) === String(expected), WITHIN_MS);
  expect((await alert(prometheus, 'UpdateLockSidecarDown', 'pending')).labels).toMatchObject({ device: 'c3d1f24de8f24c2d8e05' });
});

test('the rules say who holds back an update, and that the lock was lost', async () => {
  const sidecar = await startHeldBack();
  const prometheus = await Prometheus.start(copy(sidecar), 'prometheus.yml');
  await has(prometheus, 'update_lock:lease_holds_back:bool{device="local",name="recorder"} == 1');
  await has(prometheus, 'update_lock:apps_hold_back:bool{device="local"} == 1');
  await has(prometheus, 'update_lock:update_waits:seconds{device="local"} > 0');
  expect((await prometheus.alerts()).filter(({ labels }) => labels['alertname'] === 'UpdateLockLost')).toEqual([]);
  for (const file of sidecar.lockFiles) rmSync(file);
  const lost = await alert(prometheus, 'UpdateLockLost', 'firing');
  expect(lost.labels).toMatchObject({ device: 'local', fleet: 'local', cause: 'removed', severity: 'warning' });
  expect(lost.annotations['summary']).toBe('The update lock of local was taken away (removed)');
});

test('a lock that is held while the Supervisor cannot be heard is about to be told of', async () => {
  const sidecar = await startSidecar({ BALENA_SUPERVISOR_ADDRESS: 'http://127.0.0.1:1', BALENA_SUPERVISOR_API_KEY: 'key' });
  await sidecar.put('recorder', { ttl: '1h' });
  const prometheus = await Prometheus.start(copy(sidecar), 'prometheus.yml');
  expect((await alert(prometheus, 'UpdateLockSupervisorNotReachable', 'pending')).labels).toMatchObject({ device: 'local' });
});

test('an agent on a device sends what it scrapes, with the device that balena has named in its environment', async () => {
  const sidecar = await startHeldBack();
  const folder = copy(sidecar);
  change(join(folder, 'prometheus.yml'), addressOf(sidecar), '127.0.0.1:1');
  const central = await Prometheus.start(folder, 'prometheus.yml', ['--web.enable-remote-write-receiver']);
  change(join(folder, 'agent.yml'), 'http://prometheus.example.com:9090', central.address);
  const environment = { BALENA_APP_NAME: 'greenhouses', BALENA_DEVICE_UUID: '7fc292ba8b2a41c0b6a4' };
  await Prometheus.start(folder, 'agent.yml', ['--enable-feature=agent,expand-external-labels'], environment);
  await has(central, 'up{job="update-lock",fleet="greenhouses",device="7fc292ba8b2a41c0b6a4"} == 1');
  await has(central, 'update_lock:lease_holds_back:bool{fleet="greenhouses",device="7fc292ba8b2a41c0b6a4",name="recorder"} == 1');
});
