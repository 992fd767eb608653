import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder } from '../remove-folder';
import { makeFolder } from '../sidecar';
import type { StandInOptions } from './options';
import { StandInSupervisor } from './stand-in';

/** Stand-ins as their own tests want them, and what these ask of them. */

const folders: string[] = [];

export async function cleanUp(): Promise<void> {
  await StandInSupervisor.cleanUp();
  for (const folder of folders.splice(0)) await removeFolder(folder);
}

export function lockDirectory(): string {
  const folder = makeFolder();
  folders.push(folder);
  mkdirSync(join(folder, 'lock'));
  return join(folder, 'lock');
}

export interface Started {
  readonly supervisor: StandInSupervisor;
  readonly paths: readonly [string, string];
}

export async function start(options: Partial<StandInOptions> = {}): Promise<Started> {
  const directory = lockDirectory();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [directory], ...options });
  return { supervisor, paths: [join(directory, 'updates.lock'), join(directory, 'resin-updates.lock')] };
}

/** With a release that waits for a lock that somebody has. */
export async function startLocked(options: Partial<StandInOptions> = {}): Promise<Started> {
  const started = await start(options);
  writeFileSync(started.paths[0], '');
  await started.supervisor.pushRelease();
  await started.supervisor.history.next('back-off');
  return started;
}

export async function ask(to: { address: string; apiKey: string }, path: string, init: RequestInit = {}): Promise<{ status: number; body: any }> { // eslint-disable-line @typescript-eslint/no-explicit-any
  const headers = { Authorization: `Bearer ${to.apiKey}`, 'Content-Type': 'application/json' };
  const response = await fetch(`${to.address}${path}`, { headers, ...init });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text };
}

/** The status of the answer. */
export async function update(supervisor: StandInSupervisor, options: { force?: boolean; cancel?: boolean } = {}): Promise<number> {
  return (await ask(supervisor, '/v1/update', { method: 'POST', body: JSON.stringify(options) })).status;
}

export async function device(supervisor: StandInSupervisor): Promise<Record<string, unknown>> {
  return (await ask(supervisor, '/v1/device')).body as Record<string, unknown>;
}

/** How each attempt went, and whether it was by force. */
export function attempts(supervisor: StandInSupervisor): [string, boolean][] {
  return supervisor.history.of('attempt').map(({ result, force }) => [result, force]);
}
