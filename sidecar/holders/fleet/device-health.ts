import { ask } from '../probes/ask';
import type { Waiting } from '../../leases/waiting';
import type { DeviceReading } from './fleet-options';

/** The health URL has to answer within this time, in milliseconds. */
const HEALTH_TIMEOUT_MS = 5000;

export interface DeviceHealthOptions {
  readonly isUpdating: () => boolean;
  /** Asks the Supervisor what waits now. */
  readonly readUpdates: () => Promise<{ readonly supervisor: string; readonly waiting: readonly Waiting[]; readonly isRebootNear: boolean; readonly detail: string | null }>;
  /** The containers of our app; what is wrong if they cannot be had. */
  readonly readContainers: () => Promise<readonly { readonly serviceName: string; readonly status: string }[] | string>;
  readonly healthUrl: string | null;
}

/** Finds out whether an update has come to a good end: all of its containers run, nothing waits, and the app says that it is well. */
export async function readDeviceHealth({ isUpdating, readUpdates, readContainers, healthUrl }: DeviceHealthOptions): Promise<DeviceReading> {
  if (isUpdating()) return { waiting: null, trouble: 'an update is being applied' };
  const { supervisor, waiting: all, isRebootNear, detail } = await readUpdates();
  if (supervisor !== 'reachable') return { waiting: null, trouble: 'the Supervisor does not answer' };
  const waiting = all.map(({ what }) => what);
  if (isRebootNear) return { waiting, trouble: detail ?? 'the host OS reboots' };
  const containers = await readContainers();
  if (typeof containers === 'string') return { waiting, trouble: `the containers are not known: ${containers}` };
  const idle = containers.filter(({ status }) => status !== 'Running');
  if (containers.length === 0) return { waiting, trouble: 'the app has no containers' };
  if (idle.length > 0) return { waiting, trouble: `not running: ${idle.map(({ serviceName, status }) => `${serviceName} (${status})`).join(', ')}` };
  if (healthUrl === null) return { waiting, trouble: null };
  const result = await ask({ url: new URL(healthUrl), authorization: null, timeoutMs: HEALTH_TIMEOUT_MS }, new AbortController().signal);
  return { waiting, trouble: result.ok ? null : `the health URL: ${result.problem}` };
}
