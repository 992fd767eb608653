import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, copyFor, EXAMPLE } from '../monitoring/example';
import { Browser } from '../support/browser';
import { Coordinator } from '../support/coordinator';
import { REPOSITORY } from '../support/markdown';
import { Prometheus, type Series } from '../support/prometheus';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';
import { drawDashboard, nameOf, type DrawnPanel } from './draw-dashboard';

/** How long the devices are watched, in seconds. */
const WATCHED_SECONDS = 100;

interface Target {
  readonly expr: string;
  readonly legendFormat?: string;
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: DrawnPanel['gridPos'];
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string; readonly mappings?: readonly { readonly options: DrawnPanel['mappings'] }[] } };
}

const { title, panels } = JSON.parse(readFileSync(join(EXAMPLE, 'grafana/update-lock.json'), 'utf8')) as { title: string; panels: readonly Panel[] };

const VARIABLES: Readonly<Record<string, string>> = {
  $fleet: '.*', $device: '.*', $__rate_interval: '10s', $__interval_ms: '1000', $__interval: '1s', $__range: `${String(WATCHED_SECONDS)}s`,
};

jest.setTimeout(400_000);

afterAll(async () => {
  await Prometheus.cleanUp();
  await Sidecar.cleanUp();
  await Coordinator.cleanUp();
  await StandInSupervisor.cleanUp();
});

async function startDevice(id: string, fleetUrl: string): Promise<Device> {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], replacesForMs: 15_000 });
  const environment = {
    ...supervisor.environment, UPDATE_LOCK_HOST: '127.0.0.1', UPDATE_LOCK_PORT: '0', UPDATE_LOCK_SUPERVISOR_POLL: '1s', UPDATE_LOCK_WINDOWS: '00:00-24:00',
    UPDATE_LOCK_FLEET_URL: fleetUrl, UPDATE_LOCK_FLEET_ID: id, UPDATE_LOCK_FLEET_SETTLE: '15s',
  };
  return { id, sidecar: await Sidecar.start({ folder, environment }), supervisor };
}

interface Device {
  readonly id: string;
  readonly sidecar: Sidecar;
  readonly supervisor: StandInSupervisor;
}

/** Two devices of a group with one slot: both have work to do when a release comes. */
async function live(devices: readonly Device[]): Promise<void> {
  for (const [index, { sidecar, supervisor }] of devices.entries()) {
    await sidecar.put('recorder', { ttl: `${String(20 + 10 * index)}s`, reason: 'recording' });
    await supervisor.pushRelease();
  }
}

async function ask(prometheus: Prometheus, { expr, legendFormat = '' }: Target): Promise<DrawnPanel['lines']> {
  const query = expr.replace(/\$\w+/g, (variable) => VARIABLES[variable] ?? variable);
  const end = Math.floor(Date.now() / 1000);
  const answer = (await prometheus.api('query_range', { query, start: String(end - WATCHED_SECONDS), end: String(end), step: '1' })) as {
    result: (Pick<Series, 'metric'> & { values: [number, string][] })[];
  };
  return answer.result.map((series) => ({ name: nameOf(legendFormat, series), points: series.values.map(([t, value]): [number, number] => [t, Number(value)]) }));
}

test('the dashboard', async () => {
  const coordinator = await Coordinator.start();
  const [first, second] = [await startDevice('press-17', coordinator.url.href), await startDevice('press-18', coordinator.url.href)];
  const folder = copyFor(first.sidecar);
  mkdirSync(join(folder, 'fleet'), { recursive: true });
  const entry = ({ id, sidecar }: Device): string => `- targets: ['${addressOf(sidecar)}']\n  labels: {fleet: presses, device: ${id}}\n`;
  writeFileSync(join(folder, 'fleet/presses.targets.yml'), [first, second].map(entry).join(''));
  writeFileSync(join(folder, 'fleet/presses.coordinators.yml'), `- targets: ['${coordinator.url.host}']\n`);
  const configuration = readFileSync(join(folder, 'prometheus.yml'), 'utf8');
  // Both devices are of the fleet: none is beside this Prometheus.
  writeFileSync(join(folder, 'prometheus.yml'), configuration.replace(/ {4}# A sidecar in the same[^]*?device: local\n/, ''));
  const prometheus = await Prometheus.start(folder, 'prometheus.yml');
  await until(async () => (await prometheus.query('update_lock_build_info')).length === 2, 60_000);
  const begunMs = performance.now();
  await live([first, second]);
  await until(() => performance.now() - begunMs > 1000 * WATCHED_SECONDS, 2000 * WATCHED_SECONDS);
  const drawn: DrawnPanel[] = [];
  for (const { type, title: name, gridPos, targets = [], fieldConfig } of panels) {
    const isOverTime = ['timeseries', 'state-timeline'].includes(type);
    const answers = await Promise.all((isOverTime ? targets : targets.slice(0, 1)).map((target) => ask(prometheus, target)));
    const latest = Math.max(...answers.flat().flatMap(({ points }) => points.map(([t]) => t)));
    const lines = answers.flat().filter(({ points }) => isOverTime || points.at(-1)?.[0] === latest);
    const { unit = 'short', mappings = [] } = fieldConfig?.defaults ?? {};
    drawn.push({ type, title: name, gridPos, unit, mappings: mappings[0]?.options ?? {}, lines });
  }
  const page = join(folder, 'dashboard.html');
  writeFileSync(page, drawDashboard(title, drawn));
  const browser = await Browser.start();
  const shown = await browser.open(`file://${page}`, { width: 1216, height: 2650, scale: 1 });
  writeFileSync(join(REPOSITORY, 'docs/images/dashboard.png'), await shown.screenshot());
  await browser.close();
});
