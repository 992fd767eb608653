import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Prometheus } from '../support/prometheus';
import { removeFolder } from '../support/remove-folder';
import { Coordinator } from '../support/coordinator';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';
import { copyFor, EXAMPLE, startHeldBack } from './example';

const WITHIN_MS = 120_000;
jest.setTimeout(2 * WITHIN_MS);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

const text = readFileSync(join(EXAMPLE, 'grafana/update-lock.json'), 'utf8');
const dashboard = JSON.parse(text) as {
  readonly id: null;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[] };
};

/** What Grafana would put in the place of its variables. */
const VARIABLES: Readonly<Record<string, string>> = {
  $fleet: '.*',
  $device: '.*',
  $__rate_interval: '10m',
  $__interval_ms: '1000',
  $__interval: '1s',
  $__range: '1h',
};

function fill(expression: string): string {
  const filled = expression.replace(/\$\w+/g, (variable) => VARIABLES[variable] ?? variable);
  expect(filled).not.toContain('$');
  return filled;
}

const expressions: [string, string][] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ refId, expr }): [string, string] => [`${title} (${refId})`, fill(expr)])),
  ...dashboard.annotations.list.map(({ name, expr }): [string, string] => [name, fill(expr)]),
];

/** Panels of what does not happen in these tests. */
const NOT_HAPPENED = [
  'Lock lost (A)',
  'Leases that were cut off or ran out (A)',
  'Update requests by result (A)',
  'Refusals (A)',
  'Errors (A)',
  'Lock lost',
];

/** Every series that an expression asks for, with its labels. */
function selectors(expression: string): string[] {
  return [...expression.matchAll(/\b(?:update_lock[\w:]*|process_\w+|nodejs_\w+|up)\b(?:\{[^}]*\})?/g)].map(([selector]) => selector);
}

describe('the file', () => {
  test('belongs to no installation of Grafana', () => {
    expect(dashboard.id).toBeNull();
    const sources = [...text.matchAll(/"uid": "([^"]*)"/g)].map(([, uid]) => uid);
    expect(new Set(sources)).toEqual(new Set(['update-lock', '${datasource}']));
    expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([['datasource', 'datasource'], ['fleet', 'query'], ['device', 'query']]);
  });

  test('has panels with a name and a number of their own, each with something to show', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    for (const { type, targets = [] } of panels) expect(targets.length > 0).toBe(type !== 'row');
  });

  test('has no panel over another, or beside the page', () => {
    const taken = new Set<string>();
    for (const { title, gridPos: { x, y, w, h } } of dashboard.panels) {
      expect(x + w).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column += 1) {
        for (let line = y; line < y + h; line += 1) {
          expect(taken.has(`${String(column)} ${String(line)}`) ? title : '').toBe('');
          taken.add(`${String(column)} ${String(line)}`);
        }
      }
    }
  });
});

describe('to a real Prometheus with a real sidecar', () => {
  let folder: string;
  let prometheus: Prometheus;
  let rules: { name: string; query: string; type: string; health: string; lastError?: string }[];

  beforeAll(async () => {
    const probes = JSON.stringify([{ name: 'jenkins', url: 'http://127.0.0.1:1/', holdWhen: '/busy/' }]);
    const sidecar = await startHeldBack({
      UPDATE_LOCK_PROBES: probes, UPDATE_LOCK_WINDOWS: '00:00-24:00', UPDATE_LOCK_FLEET_URL: 'http://127.0.0.1:1', UPDATE_LOCK_FLEET_ID: 'press-17',
    });
    folder = copyFor(sidecar);
    const coordinator = await Coordinator.start();
    writeFileSync(join(folder, 'fleet/press.coordinators.yml'), `- targets: ['${coordinator.url.host}']\n`);
    prometheus = await Prometheus.start(folder, 'prometheus.yml');
    const has = (expression: string): Promise<void> => until(async () => (await prometheus.query(expression)).length > 0, WITHIN_MS);
    await has('update_lock:apps_hold_back:bool');
    await sidecar.put('camera');
    await has('sum_over_time((update_lock_lease_held{name="camera"} > bool 0)[1h:1s]) > 0');
    await sidecar.release('camera');
    await has('update_lock_coordinator_slots');
    await coordinator.ask('press-17');
    await has('increase(update_lock_coordinator_turns_total{result="granted"}[10m]) > 0');
    await has('increase(update_lock_leases_ended_total{reason="released"}[10m]) > 0');
    await until(async () => {
      rules = ((await prometheus.api('rules')) as { groups: { rules: typeof rules }[] }).groups.flatMap((group) => group.rules);
      return rules.every(({ health }) => health !== 'unknown');
    }, WITHIN_MS);
  });
  afterAll(async () => {
    await Prometheus.cleanUp();
    await Sidecar.cleanUp();
    await Coordinator.cleanUp();
    await StandInSupervisor.cleanUp();
    await removeFolder(join(folder, '..'));
  });

  test('every panel has something to show, but of what has not happened', async () => {
    const empty: string[] = [];
    for (const [title, expression] of expressions) if ((await prometheus.query(expression)).length === 0) empty.push(title);
    expect(empty).toEqual(NOT_HAPPENED);
  });

  test('it shows who held back the update, and for how long', async () => {
    const table = expressions.find(([title]) => title.startsWith('Who held back'))?.[1] ?? '';
    const seconds = new Map((await prometheus.query(table)).map(({ metric, value }) => [metric['name'], Number(value[1])]));
    expect([...seconds.keys()].sort()).toEqual(['@fleet', 'camera', 'recorder']);
    expect(seconds.get('recorder')).toBeGreaterThan(0);
  });

  test('every rule is evaluated without an error', () => {
    expect(rules.length).toBeGreaterThan(0);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  test('everything that dashboard and rules ask for is there, by name and labels', async () => {
    const wanted = new Set([...expressions.map(([, expression]) => expression), ...rules.map(({ query }) => query)].flatMap(selectors));
    const missing: string[] = [];
    for (const selector of wanted) if ((await prometheus.query(selector)).length === 0) missing.push(selector);
    expect(missing).toEqual([]);
    expect(wanted.size).toBeGreaterThan(20);
  });

  test('its variables find fleet and device', async () => {
    for (const { name, definition } of dashboard.templating.list.filter(({ type }) => type === 'query')) {
      const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? '') ?? [];
      const values = (await prometheus.query(fill(selector))).map(({ metric }) => metric[label]);
      expect([name, values]).toEqual([name, ['local']]);
    }
  });
});
