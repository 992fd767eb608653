import { MAX_TOMBSTONES, TOMBSTONE_MS, Tombstones } from '../../sidecar/leases/tombstones';
import { makeEndedLease } from './make-lease';

const HOUR_MS = 60 * 60 * 1000;

test('an ended lease is remembered for an hour', () => {
  expect(TOMBSTONE_MS).toBe(HOUR_MS);
});

test.each([
  [0, true],
  [HOUR_MS, true],
  [HOUR_MS + 1, false],
])('%d ms after its end a lease is remembered: %s', (laterMs, isRemembered) => {
  const tombstones = new Tombstones();
  tombstones.add(makeEndedLease('recorder', 5000));
  expect(tombstones.get('recorder', 5000 + laterMs) !== undefined).toBe(isRemembered);
});

test('a name that never was is not remembered', () => {
  expect(new Tombstones().get('recorder', 0)).toBeUndefined();
});

test('of a name that has ended twice the last end is told', () => {
  const tombstones = new Tombstones();
  tombstones.add(makeEndedLease('recorder', 1000, 'expired'));
  tombstones.add(makeEndedLease('recorder', 2000, 'lost'));
  expect(tombstones.get('recorder', 2000)?.ended).toEqual({ reason: 'lost', atMs: 2000 });
});

test('no more than the limit are remembered: the oldest ends make room', () => {
  const tombstones = new Tombstones();
  for (let index = 0; index <= MAX_TOMBSTONES; index += 1) tombstones.add(makeEndedLease(`n${String(index)}`, index));
  expect(tombstones.get('n0', MAX_TOMBSTONES)).toBeUndefined();
  expect(tombstones.get('n1', MAX_TOMBSTONES)).toBeDefined();
  expect(tombstones.get(`n${String(MAX_TOMBSTONES)}`, MAX_TOMBSTONES)).toBeDefined();
});

test('a name that ends again is the youngest, and does not push out another', () => {
  const tombstones = new Tombstones();
  for (let index = 0; index < MAX_TOMBSTONES; index += 1) tombstones.add(makeEndedLease(`n${String(index)}`, index));
  tombstones.add(makeEndedLease('n0', 1000));
  expect(tombstones.get('n1', 1000)).toBeDefined();
  tombstones.add(makeEndedLease('one-more', 1001));
  expect(tombstones.get('n1', 1001)).toBeUndefined();
  expect(tombstones.get('n0', 1001)).toBeDefined();
});
