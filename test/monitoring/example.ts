import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder, Sidecar } from '../support/sidecar';
import { backsOffForLong } from '../support/updatable-device';
import { StandInSupervisor } from '../support/supervisor/stand-in';

export const EXAMPLE = resolve(__dirname, '../../examples/monitoring');

/** Where the example looks for a sidecar in the same compose project. */
const BESIDE = 'update-lock:8080';

export function addressOf({ tcpTarget }: Sidecar): string {
  return 'port' in tcpTarget ? `${tcpTarget.host}:${String(tcpTarget.port)}` : '';
}

/** A sidecar with an update that waits for the app `recorder`. */
export async function startHeldBack(more: Readonly<Record<string, string>> = {}): Promise<Sidecar> {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  const environment = { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_SUPERVISOR_POLL: '1s', ...supervisor.environment, ...more };
  const sidecar = await Sidecar.start({ folder, environment });
  await sidecar.put('recorder', { reason: 'recording', ttl: '1h' });
  await supervisor.pushRelease();
  await sidecar.logged('update pending');
  // So that it does not try by itself just when a test takes the lock away.
  await backsOffForLong({ supervisor });
  return sidecar;
}

/** A copy of the example whose addresses are those of a real sidecar, and whose intervals are short, but long enough for a slow machine: a scrape has no longer. */
export function copyFor(beside: Sidecar): string {
  const folder = join(makeFolder(), 'monitoring');
  cpSync(EXAMPLE, folder, { recursive: true });
  for (const file of ['prometheus.yml', 'agent.yml']) {
    change(join(folder, file), BESIDE, addressOf(beside));
    change(join(folder, file), '_interval: 30s', '_interval: 1s');
  }
  return folder;
}

/** Replaces a text in a file, which has to be there. */
export function change(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} lacks ${from}`);
  writeFileSync(path, text.replaceAll(from, to));
}
