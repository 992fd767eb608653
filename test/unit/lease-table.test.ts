import { LeaseTable } from '../../sidecar/leases/lease-table';
import { makeLease } from './make-lease';

function tableOf(...leases: ReturnType<typeof makeLease>[]): LeaseTable {
  const table = new LeaseTable();
  for (const lease of leases) table.set(lease);
  return table;
}

const names = (table: LeaseTable): string[] => [...table.values()].map(({ name }) => name);

test('an empty table has no size, no next end and nothing due', () => {
  const table = new LeaseTable();
  expect([table.size, table.nextEndMs(), table.due(Infinity), names(table)]).toEqual([0, null, [], []]);
});

test('a renewed lease keeps its place among the oldest', () => {
  const table = tableOf(makeLease('a'), makeLease('b'), makeLease('c'));
  table.set(makeLease('a', { renewals: 1, endsAtMs: 90_000 }));
  expect(names(table)).toEqual(['a', 'b', 'c']);
  expect(table.get('a')?.renewals).toBe(1);
  expect(table.size).toBe(3);
});

test('one that was released and taken again is the youngest', () => {
  const table = tableOf(makeLease('a'), makeLease('b'));
  table.delete('a');
  table.set(makeLease('a'));
  expect(names(table)).toEqual(['b', 'a']);
});

test.each([
  [999, []],
  [1000, ['early']],
  [1999, ['early']],
  [2000, ['early', 'late']],
])('at %d ms of two leases that end at 1000 and 2000 ms these are due: %j', (nowMs, due) => {
  const table = tableOf(makeLease('late', { endsAtMs: 2000 }), makeLease('early', { endsAtMs: 1000 }));
  expect(table.due(0)).toEqual([]);
  expect(table.due(nowMs).map(({ name }) => name)).toEqual(due);
  // Nobody has ended them yet.
  expect(table.due(nowMs).map(({ name }) => name)).toEqual(due);
});

test('a lease that was renewed is due at its new end', () => {
  const table = tableOf(makeLease('a', { endsAtMs: 1000 }));
  table.set(makeLease('a', { endsAtMs: 3000 }));
  expect([1000, 2999, 3000].map((nowMs) => table.due(nowMs).length)).toEqual([0, 0, 1]);
});

test('a lease without an end is never due', () => {
  const table = tableOf(makeLease('connected', { kind: 'connection', ttlMs: null, endsAtMs: null }));
  expect(table.nextEndMs()).toBeNull();
  expect(table.due(Number.MAX_VALUE)).toEqual([]);
});

test('a lease that loses its end is not due any more, and one that gets one is', () => {
  const table = tableOf(makeLease('a', { endsAtMs: 1000 }), makeLease('b', { endsAtMs: null }));
  table.set(makeLease('a', { endsAtMs: null }));
  table.set(makeLease('b', { endsAtMs: 5000 }));
  expect(table.nextEndMs()).toBe(5000);
  expect(table.due(9999).map(({ name }) => name)).toEqual(['b']);
});

test('a deleted lease is gone, its end too', () => {
  const table = tableOf(makeLease('a'));
  table.delete('a');
  table.delete('never-there');
  expect([table.size, table.get('a'), table.nextEndMs()]).toEqual([0, undefined, null]);
});
