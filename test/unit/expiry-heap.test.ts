import { ExpiryHeap } from '../../sidecar/leases/expiry-heap';

/** Every name, in the order in which they end. */
function drain(heap: ExpiryHeap): string[] {
  const names: string[] = [];
  for (let next = heap.peek(); next !== undefined; next = heap.peek()) {
    names.push(next.name);
    heap.set(next.name, null);
  }
  return names;
}

function heapOf(ends: Readonly<Record<string, number>>): ExpiryHeap {
  const heap = new ExpiryHeap();
  for (const [name, endsAtMs] of Object.entries(ends)) heap.set(name, endsAtMs);
  return heap;
}

test('an empty heap has nothing that ends first', () => {
  expect(new ExpiryHeap().peek()).toBeUndefined();
});

test('names come out in the order of their ends, not of their arrival', () => {
  expect(drain(heapOf({ e: 5, a: 1, d: 4, c: 3, b: 2, f: 6 }))).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

test.each([
  ['put off', 'a', 10, ['b', 'c', 'd', 'a']],
  ['brought forward', 'd', 0, ['d', 'a', 'b', 'c']],
  ['set to what it was', 'b', 2, ['a', 'b', 'c', 'd']],
  ['taken out at the top', 'a', null, ['b', 'c', 'd']],
  ['taken out in the middle', 'b', null, ['a', 'c', 'd']],
  ['taken out at the bottom', 'd', null, ['a', 'b', 'c']],
])('an end that is %s leaves the others in order', (_, name, endsAtMs, expected) => {
  const heap = heapOf({ a: 1, b: 2, c: 3, d: 4 });
  heap.set(name, endsAtMs);
  expect(drain(heap)).toEqual(expected);
});

test('taking out one from another branch moves the last one up where that ends sooner', () => {
  // As a tree: 1 over 10 and 2; 11 and 12 under 10; 3 under 2. The 3 takes the place of 11, below 10.
  const heap = heapOf({ top: 1, left: 10, right: 2, x: 11, y: 12, early: 3 });
  heap.set('x', null);
  expect(drain(heap)).toEqual(['top', 'right', 'early', 'left', 'y']);
});

test('taking out a name that is not there, or twice, changes nothing', () => {
  const heap = heapOf({ a: 1 });
  heap.set('b', null);
  heap.set('a', null);
  heap.set('a', null);
  expect(heap.peek()).toBeUndefined();
});
