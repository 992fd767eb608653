import { BUILT_AT_MS, isClockSet } from '../../sidecar/holders/windows/window-holder';

test('a clock that reads a time before the build has not been set yet', () => {
  const builtAtMs = Date.parse('2026-11-23T06:00:00Z');
  expect([0, builtAtMs - 1, builtAtMs, builtAtMs + 1].map((nowMs) => isClockSet(nowMs, builtAtMs))).toEqual([false, false, true, true]);
});

test('what was not built takes any clock for set', () => {
  expect(BUILT_AT_MS).toBe(0);
  expect(isClockSet(0)).toBe(true);
});
