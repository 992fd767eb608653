import { LeaseNameSeries } from '../../sidecar/metrics/lease-name-series';
import { makeLease } from './make-lease';

const LIMIT = 32;
const numbered = (count: number, prefix = 'n'): string[] => Array.from({ length: count }, (_, index) => `${prefix}${String(index)}`);
const live = (...names: string[]) => names.map((name) => makeLease(name));

test('"other" is there from the start, at 0', () => {
  expect([...new LeaseNameSeries().read([])]).toEqual([['other', 0]]);
});

test('a live lease has a series at 1, which stays at 0 when it has ended', () => {
  const series = new LeaseNameSeries();
  expect(series.read(live('recorder')).get('recorder')).toBe(1);
  expect(series.read([]).get('recorder')).toBe(0);
});

test('a lease that came and went between two readings has a series at 0', () => {
  const series = new LeaseNameSeries();
  series.add('brief');
  expect(series.read([]).get('brief')).toBe(0);
});

test('32 names have a series of their own, the rest are counted under "other"', () => {
  const values = new LeaseNameSeries().read(live(...numbered(40)));
  expect(values.size).toBe(LIMIT + 1);
  expect(values.get('other')).toBe(8);
  expect([...values.values()].reduce((sum, value) => sum + value, 0)).toBe(40);
});

test('a name that is not live makes room for a new one, the oldest first', () => {
  const series = new LeaseNameSeries();
  series.read(live(...numbered(LIMIT)));
  series.read(live(...numbered(LIMIT).slice(2)));
  series.add('new');
  const values = series.read(live(...numbered(LIMIT).slice(2), 'new'));
  expect(values.has('n0')).toBe(false);
  expect(values.get('n1')).toBe(0);
  expect(values.get('new')).toBe(1);
  expect(values.get('other')).toBe(0);
});

test('however many names come and go, there are never more than 32 and "other"', () => {
  const series = new LeaseNameSeries();
  for (const name of numbered(1000)) {
    series.add(name);
    expect(series.read(live(name)).size).toBeLessThanOrEqual(LIMIT + 1);
  }
});

test('a lease that is itself called "other" does not hide the rest', () => {
  const values = new LeaseNameSeries().read(live('other', ...numbered(40)));
  expect([...values.values()].reduce((sum, value) => sum + value, 0)).toBe(41);
});
