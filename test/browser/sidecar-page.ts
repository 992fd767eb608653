import { join } from 'node:path';
import { Browser } from '../support/browser';
import type { Page, PageOptions } from '../support/page';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';

/** What a test of the status page begins with: a browser for the file, and a sidecar that listens for it. */

let browser: Browser | undefined;

/** To be called once in each file. */
export function useBrowser(): void {
  jest.setTimeout(120_000);
  beforeAll(async () => {
    browser = await Browser.start();
  });
  afterEach(async () => {
    await Sidecar.cleanUp();
    await StandInSupervisor.cleanUp();
  });
  afterAll(() => browser?.close());
}

export const LISTENS = { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_HOST: '127.0.0.1' };

export function start(environment: Readonly<Record<string, string>> = {}): Promise<Sidecar> {
  return Sidecar.start({ environment: { ...LISTENS, ...environment } });
}

export interface Device {
  readonly sidecar: Sidecar;
  readonly supervisor: StandInSupervisor;
}

/** With an update that waits for the lease `app`. */
export async function startWaiting(environment: Readonly<Record<string, string>> = {}): Promise<Device> {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  const settings = { ...LISTENS, ...supervisor.environment, UPDATE_LOCK_SUPERVISOR_POLL: '200ms', ...environment };
  const sidecar = await Sidecar.start({ folder, environment: settings });
  await sidecar.put('app', { ttl: '1h', reason: 'at work' });
  await supervisor.pushRelease();
  await sidecar.logged('update pending');
  return { sidecar, supervisor };
}

export function urlOf(sidecar: Sidecar): string {
  return `http://127.0.0.1:${String(portOf(sidecar))}/`;
}

export function portOf(sidecar: Sidecar): number {
  return (sidecar.tcpTarget as { port: number }).port;
}

/** The status page, once it is live. */
export async function open(where: Sidecar | string, options?: PageOptions): Promise<Page> {
  if (browser === undefined) throw new Error('there is no browser');
  const page = await browser.open(typeof where === 'string' ? where : urlOf(where), options);
  await page.shows('Live', '#connection');
  await page.shows(/./, '#paths');
  return page;
}
