import { join } from 'node:path';
import { makeFolder, Sidecar } from './sidecar';
import type { StandInOptions } from './supervisor/options';
import { StandInSupervisor } from './supervisor/stand-in';

const POLL = { UPDATE_LOCK_SUPERVISOR_POLL: '1s' };

/** A sidecar and the stand-in of a Supervisor that it asks, with one lock directory. */
export interface UpdatableDevice {
  readonly supervisor: StandInSupervisor;
  readonly sidecar: Sidecar;
  /** That of the sidecar, to start it again with. */
  readonly environment: Readonly<Record<string, string>>;
}

export async function startDevice(options: Partial<StandInOptions> = {}, settings: Readonly<Record<string, string>> = {}, folder = makeFolder()): Promise<UpdatableDevice> {
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], ...options });
  const environment = { ...POLL, ...supervisor.environment, ...settings };
  return { supervisor, sidecar: await Sidecar.start({ folder, environment }), environment };
}

/** An update that waits for the lease `app`, as both sides know. */
export async function startWaiting(options: Partial<StandInOptions> = {}, settings: Readonly<Record<string, string>> = {}): Promise<UpdatableDevice> {
  const device = await startDevice(options, settings);
  await device.sidecar.put('app', { reason: 'busy' });
  await device.supervisor.pushRelease();
  // Where instant updates are off it finds out by itself.
  if (!device.supervisor.instantUpdates) await device.supervisor.poll();
  await device.supervisor.history.next('back-off');
  await device.sidecar.logged('update pending');
  return device;
}

/** So long that the Supervisor tries nothing by itself until the test is over. */
export async function backsOffForLong({ supervisor }: Pick<UpdatableDevice, 'supervisor'>): Promise<void> {
  // Helios always waits for the same time.
  if (supervisor.rules.isHelios) return;
  supervisor.device.failures = 8;
  await supervisor.history.next('back-off', ({ failures }) => failures > 8);
}

/** What the Supervisor was sent to `POST /v1/update`. */
export function posts({ supervisor }: Pick<UpdatableDevice, 'supervisor'>): unknown[] {
  return supervisor.requests('/v1/update').map(({ body }) => body);
}

export async function metric(sidecar: Sidecar, name: string): Promise<number> {
  const { text } = await sidecar.send('GET', '/metrics');
  const line = text.split('\n').find((each) => each.startsWith(`update_lock_${name} `));
  return Number(line?.split(' ')[1]);
}
