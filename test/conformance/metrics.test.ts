import { spawnSync } from 'node:child_process';
import { send } from '../support/http';
import { Hold } from '../support/hold';
import { Sidecar } from '../support/sidecar';

let sidecar: Sidecar;
const start = async (): Promise<Sidecar> => (sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_MAX_LEASES: '40', UPDATE_LOCK_PORT: '0' } }));
afterAll(() => Sidecar.cleanUp());

/** Every series with its value, its labels in alphabetical order. */
async function scrape(): Promise<Map<string, number>> {
  const { text } = await sidecar.send('GET', '/metrics');
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) continue;
    const [, name = '', labels = '', value = ''] = match;
    const key = labels === '' ? name : `${name}{${labels.split(',').sort().join(',')}}`;
    if (series.has(key)) throw new Error(`${key} is there twice`);
    series.set(key, Number(value));
  }
  return series;
}

const labelled = (name: string, label: string, values: readonly string[]): string[] => values.map((value) => `update_lock_${name}{${label}="${value}"}`);

const SERIES = [
  ...['held', 'held_since_timestamp_seconds', 'leases', 'leases_acquired_total', 'leases_renewed_total', 'held_seconds_total', 'supervisor_holds_lock', 'supervisor_up', 'update_pending', 'update_pending_since_timestamp_seconds'].map((name) => `update_lock_${name}`),
  ...labelled('state', 'state', ['held', 'updating', 'foreign', 'cooldown', 'unavailable']),
  ...labelled('lease_held', 'name', ['other']),
  ...labelled('leases_ended_total', 'reason', ['released', 'expired', 'disconnected', 'lost', 'drained', 'stopped']),
  ...labelled('rejections_total', 'code', ['updating', 'foreign-lock', 'cooldown', 'draining', 'too-many-leases', 'cannot-lock', 'supervisor-unavailable', 'stopping']),
  ...labelled('lost_total', 'cause', ['supervisor', 'helios', 'removed', 'replaced']),
  ...['retry', 'force'].flatMap((kind) => ['accepted', 'ignored', 'unconfirmed', 'failed'].map((result) => `update_lock_update_requests_total{kind="${kind}",result="${result}"}`)),
  ...labelled('errors_total', 'operation', ['open', 'take', 'give-back', 'journal', 'describe', 'flock', 'state', 'http']),
  'update_lock_lease_duration_seconds_count', 'update_lock_lease_duration_seconds_sum',
  'update_lock_http_request_duration_seconds_count{method="PUT",route="/v1/leases/{name}",status="201"}',
];

describe('of a sidecar that has just started', () => {
  let series: Map<string, number>;
  beforeAll(async () => {
    await start();
    series = await scrape();
  });

  test.each(SERIES)('%s is there from the start, at 0', (name) => {
    expect(series.get(name)).toBe(0);
  });

  test('what is not 0 at the start is there too', () => {
    expect(series.get('update_lock_state{state="free"}')).toBe(1);
    expect(series.get('update_lock_window_open')).toBe(1);
    expect([...series].find(([name]) => name.startsWith('update_lock_build_info{version="'))?.[1]).toBe(1);
    expect(series.get('update_lock_device_info{name="",uuid=""}')).toBe(1);
    for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'process_start_time_seconds', 'nodejs_heap_size_used_bytes']) {
      expect(series.get(name)).toBeGreaterThan(0);
    }
  });
});

describe('of one that has something to do', () => {
  beforeEach(start);

  test('promtool finds nothing wrong with them, at the start and after everything has happened once', async () => {
    const check = (text: string): void => {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      expect(status).toBe(0);
      expect(stdout).toBe('');
      expect(stderr.split('\n').filter((line) => line !== '')).toEqual([]);
    };
    check((await sidecar.send('GET', '/metrics')).text);
    await sidecar.put('a', { reason: '"\\\n' });
    await sidecar.put('a');
    await sidecar.put('.bad');
    await sidecar.send('GET', '/no"such\\thing');
    await sidecar.release('a');
    check((await sidecar.send('GET', '/metrics')).text);
  });

  test('they tell what happens to leases and lock', async () => {
    await sidecar.put('a');
    await sidecar.put('a');
    const hold = await Hold.open(sidecar.target, 'b');
    await hold.line('held');
    const held = await scrape();
    expect(held.get('update_lock_held')).toBe(1);
    expect(held.get('update_lock_state{state="held"}')).toBe(1);
    expect(held.get('update_lock_state{state="free"}')).toBe(0);
    expect(held.get('update_lock_leases')).toBe(2);
    expect(held.get('update_lock_lease_held{name="a"}')).toBe(1);
    expect(held.get('update_lock_lease_held{name="b"}')).toBe(1);
    expect(held.get('update_lock_leases_acquired_total')).toBe(2);
    expect(held.get('update_lock_leases_renewed_total')).toBe(1);
    expect(Math.abs((held.get('update_lock_held_since_timestamp_seconds') ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    await sidecar.release('a');
    hold.close();
    await sidecar.logged('lease ended', { name: 'b' });
    const free = await scrape();
    expect(free.get('update_lock_held')).toBe(0);
    expect(free.get('update_lock_held_since_timestamp_seconds')).toBe(0);
    expect(free.get('update_lock_lease_held{name="a"}')).toBe(0);
    expect(free.get('update_lock_leases_ended_total{reason="released"}')).toBe(1);
    expect(free.get('update_lock_leases_ended_total{reason="disconnected"}')).toBe(1);
    expect(free.get('update_lock_lease_duration_seconds_count')).toBe(2);
    expect(free.get('update_lock_held_seconds_total')).toBeGreaterThan(0);
  });

  test('at most 32 names have a series, whatever apps call their leases, and refusals are counted', async () => {
    for (let index = 0; index < 42; index += 1) await sidecar.put(`n${String(index)}`);
    const series = await scrape();
    expect([...series.keys()].filter((name) => name.startsWith('update_lock_lease_held{'))).toHaveLength(33);
    expect(series.get('update_lock_lease_held{name="other"}')).toBe(8);
    expect(series.get('update_lock_rejections_total{code="too-many-leases"}')).toBe(2);
  });

  test('no client can make new series by what it asks for', async () => {
    const before = (await scrape()).size;
    for (let index = 0; index < 20; index += 1) {
      await sidecar.send('GET', `/nothing/${String(index)}`);
      await sidecar.send(['PURGE', 'PROPFIND', 'PATCH', 'TRACE'][index % 4] ?? '', `/v1/lock?x${String(index)}`);
      await sidecar.send('PUT', `/v1/leases/.${String(index)}`);
      await send(sidecar.tcpTarget, 'GET', '/v1/lock', { headers: { Origin: `http://${String(index)}` } });
    }
    const grown = [...(await scrape()).keys()].length - before;
    // One histogram (5 buckets, infinity, sum, count) for each of GET none 404, other 405, PUT 422 and GET 403.
    expect(grown).toBeLessThanOrEqual(4 * 8);
  });
});
