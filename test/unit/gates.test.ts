import { lostCooldown } from '../../sidecar/gates/lost-cooldown';

const COOLDOWN_MS = 15_000;
const gate = lostCooldown(COOLDOWN_MS);

test('the gate is open where nothing was ever lost', () => {
  expect(gate({ name: null, nowMs: 0, lostAtMs: null })).toBeNull();
});

test.each([
  [100_000, false],
  [100_001, false],
  [114_999, false],
  [115_000, true],
  [999_999, true],
])('at %d ms, after a loss at 100000 ms, it is open: %s', (nowMs, isOpen) => {
  expect(gate({ name: null, nowMs, lostAtMs: 100_000 }) === null).toBe(isOpen);
});

test('while it is closed it says when it opens', () => {
  expect(gate({ name: null, nowMs: 100_500, lostAtMs: 100_000 })).toMatchObject({ code: 'cooldown', opensAtMs: 115_000 });
});

test('a loss at the very start of the machine counts', () => {
  expect(gate({ name: null, nowMs: 1, lostAtMs: 0 })).not.toBeNull();
});

test('without a cooldown it never closes', () => {
  expect(lostCooldown(0)({ name: null, nowMs: 5, lostAtMs: 5 })).toBeNull();
});
