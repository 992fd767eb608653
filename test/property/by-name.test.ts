import fc from 'fast-check';
import { ByName } from '../../sidecar/leases/by-name';

const name = fc.constantFrom('a', 'b', 'c', '1', '0', '__proto__', 'constructor');
const step = fc.oneof(
  fc.record({ what: fc.constant('set' as const), name, value: fc.nat() }),
  fc.record({ what: fc.constant('delete' as const), name, value: fc.constant(0) }),
  fc.record({ what: fc.constant('clear' as const), name, value: fc.constant(0) }),
);

test('values by name are what a Map has, in its order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new ByName<number>();
      const model = new Map<string, number>();
      for (const { what, name: each, value } of steps) {
        if (what === 'set') {
          table.set(each, value);
          model.set(each, value);
        } else if (what === 'delete') {
          table.delete(each);
          model.delete(each);
        } else {
          table.clear();
          model.clear();
        }
        expect([...table.values()]).toEqual([...model.values()]);
        expect(table.size).toBe(model.size);
        expect(table.oldestName).toBe([...model.keys()][0]);
        expect(table.get(each)).toBe(model.get(each));
      }
    }),
  );
});

test('names that come and go by the thousand leave those that stay in their order', () => {
  const table = new ByName<number>();
  table.set('first', 1);
  for (let i = 0; i < 5000; i += 1) {
    table.set(`passing-${String(i)}`, i);
    if (i === 2500) table.set('second', 2);
    table.delete(`passing-${String(i)}`);
  }
  expect([...table.values()]).toEqual([1, 2]);
  expect(table.get('second')).toBe(2);
  expect(table.get('passing-17')).toBeUndefined();
  expect(table.size).toBe(2);
});
