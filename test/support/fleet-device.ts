import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FleetLockServer } from './fleet-lock-server';
import { MovedClock } from './moved-clock';
import { makeFolder, type Sidecar } from './sidecar';
import type { StandInOptions } from './supervisor/options';
import { startDevice, type UpdatableDevice } from './updatable-device';
import { until } from './until';

export const ASK = '/v1/pre-reboot';
export const GIVE_BACK = '/v1/steady-state';
export const ID = '0123456789abcdef0123456789abcdef';

/** A device of a fleet, the server of that, and the device's monotonic clock. */
export interface FleetDevice extends UpdatableDevice {
  readonly server: FleetLockServer;
  readonly clock: MovedClock;
}

export interface FleetDeviceStart {
  readonly settings?: Readonly<Record<string, string>>;
  readonly options?: Partial<StandInOptions>;
  readonly server?: FleetLockServer;
  readonly folder?: string;
}

export async function startFleetDevice({ settings = {}, options = {}, server, folder = makeFolder() }: FleetDeviceStart = {}): Promise<FleetDevice> {
  const made = server ?? (await FleetLockServer.start());
  const clock = new MovedClock(folder);
  const fleet = { UPDATE_LOCK_FLEET_URL: made.url, BALENA_DEVICE_UUID: ID, UPDATE_LOCK_FLEET_SETTLE: '1s', UPDATE_LOCK_HOST_POLL: '300ms', ...clock.environment, ...settings };
  return { ...(await startDevice({ replacesForMs: 300, ...options }, fleet, folder)), server: made, clock };
}

export async function fleetOf({ sidecar }: { sidecar: Sidecar }): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  return (await sidecar.send('GET', '/v1/fleet')).body;
}

export function isInState(device: { sidecar: Sidecar }, ...states: string[]): Promise<void> {
  return until(async () => states.includes((await fleetOf(device)).state as string), 40_000);
}

/** As after a power cut or a reboot: everything but the state directory is gone, and what is there is of the boot before. */
export async function reboot<D extends UpdatableDevice>(device: D, settings: Readonly<Record<string, string>> = {}): Promise<D> {
  const { sidecar, supervisor, environment } = device;
  await sidecar.kill();
  for (const name of ['fleet', 'applying']) ageState(join(sidecar.folder, 'state', name));
  await supervisor.device.options.locks.release();
  rmSync(sidecar.directory, { recursive: true, force: true });
  return { ...device, sidecar: await sidecar.startAgain({ ...environment, ...settings }) };
}

function ageState(path: string): void {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return;
  }
  writeFileSync(path, text.replace(/"boot":"[^"]*"/g, '"boot":"the boot before"'));
}
