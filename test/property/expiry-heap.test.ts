import fc from 'fast-check';
import { ExpiryHeap } from '../../sidecar/leases/expiry-heap';

const change = fc.record({ name: fc.nat(40).map(String), endsAtMs: fc.option(fc.nat(20), { nil: null, freq: 4 }) });

test('whatever is set, moved and taken out, the first is one that ends soonest', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
      const heap = new ExpiryHeap();
      const model = new Map<string, number>();
      for (const { name, endsAtMs } of changes) {
        heap.set(name, endsAtMs);
        if (endsAtMs === null) model.delete(name);
        else model.set(name, endsAtMs);
        const first = heap.peek();
        expect(first?.endsAtMs).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
        if (first !== undefined) expect(model.get(first.name)).toBe(first.endsAtMs);
      }
      const drained: number[] = [];
      for (let next = heap.peek(); next !== undefined; next = heap.peek()) {
        drained.push(next.endsAtMs);
        heap.set(next.name, null);
      }
      expect(drained).toEqual([...model.values()].sort((a, b) => a - b));
    }),
    { numRuns: 500 },
  );
});
