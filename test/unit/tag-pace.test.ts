import fc from 'fast-check';
import { afterLook, BETWEEN_WRITES_MS, NOTHING_WRITTEN, SETTLES_AFTER_MS, type TagState } from '../../sidecar/supervisor/tag-pace';

const MINUTE = 60_000;
const written: TagState = { written: 'free', triedAtMs: 0, seen: 'free', seenSinceMs: 0 };
const held = (seenSinceMs: number, triedAtMs: number | null = 0): TagState => ({ ...written, triedAtMs, seen: 'held', seenSinceMs });

test.each<[string, TagState, string, boolean, number, number | null]>([
  ['the first text is written once it has settled', NOTHING_WRITTEN, 'free', false, MINUTE, 30_000],
  ['the first text is written at once if it is urgent', NOTHING_WRITTEN, 'held', true, MINUTE, 0],
  ['a text that is written is not written again', written, 'free', false, 60 * MINUTE, null],
  ['nor if it is urgent', written, 'free', true, 60 * MINUTE, null],
  ['a new text has to settle', written, 'held', false, 60 * MINUTE, 30_000],
  ['a text that has not settled yet', held(60 * MINUTE - 10_000), 'held', false, 60 * MINUTE, 20_000],
  ['a text that has settled', held(60 * MINUTE - 30_000), 'held', false, 60 * MINUTE, 0],
  ['an urgent text', written, 'held', true, 60 * MINUTE, 0],
  ['an urgent text soon after a write', written, 'held', true, MINUTE, 4 * MINUTE],
  ['a settled text soon after a write', held(MINUTE), 'held', false, 2 * MINUTE, 3 * MINUTE],
  ['another text that follows before the first has settled', held(60 * MINUTE - 10_000), 'lost', false, 60 * MINUTE, 30_000],
])('%s', (_, state, text, isUrgent, nowMs, writeInMs) => {
  expect(afterLook(state, { text, isUrgent, nowMs }).writeInMs).toBe(writeInMs);
});

test('whatever happens, two writes are five minutes apart, and a text that is not urgent has settled', () => {
  const steps = fc.array(fc.record({ text: fc.constantFrom('a', 'b', 'c'), isUrgent: fc.boolean(), afterMs: fc.integer({ min: 0, max: 90_000 }), works: fc.boolean() }));
  fc.assert(fc.property(steps, (all) => {
    let [state, nowMs, lastMs, sinceMs, seen] = [NOTHING_WRITTEN, 0, -Infinity, 0, ''];
    for (const { text, isUrgent, afterMs, works } of all) {
      nowMs += afterMs;
      if (text !== seen) [seen, sinceMs] = [text, nowMs];
      const isWritten = state.written === text;
      const look = afterLook(state, { text, isUrgent, nowMs });
      state = look.state;
      expect(look.writeInMs === null).toBe(isWritten);
      if (look.writeInMs !== 0) continue;
      expect(nowMs - lastMs).toBeGreaterThanOrEqual(BETWEEN_WRITES_MS);
      if (!isUrgent) expect(nowMs - sinceMs).toBeGreaterThanOrEqual(SETTLES_AFTER_MS);
      lastMs = nowMs;
      if (works) state = { ...state, written: text };
    }
  }));
});
