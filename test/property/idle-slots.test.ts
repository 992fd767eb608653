import { decide, type Group, type Holder, type Waiter } from '../../coordinator/groups';
import { newSeed, seededRandom } from '../support/random';

/** A turn lasts for longer than the device has to be well after its update. */
const TURN_MS = 300_000;

const SEED = newSeed();
const random = seededRandom(SEED);

/** Devices ask again after their `Retry-After`, but not within 5 s, and up to a tenth later (`sidecar/holders/fleet/fleet-answers.ts`). */
const LEAST_RETRY_MS = 5000;
const nextAskMs = (retryAfterMs: number): number => Math.max(retryAfterMs, LEAST_RETRY_MS) * (1 + random() / 10);

/** How long a slot was free until it was taken, by many devices that wait, when some of them die just before their turn. */
function idleTimes(turns: number, deathRate: number): number[] {
  const holders = new Map<string, Holder>();
  const waiting = new Map<string, Waiter>();
  const group: Group = { name: 'default', slots: 1, paused: false, holders, waiting };
  const asksAtMs = new Map<string, number>();
  let nowMs = 0;
  const ask = (id: string): boolean => {
    const decision = decide(group, { id, instance: null }, nowMs);
    if (decision.kind !== 'refused') {
      waiting.delete(id);
      asksAtMs.delete(id);
      holders.set(id, { id, instance: null, sinceMs: nowMs });
      return true;
    }
    waiting.set(id, { id, sinceMs: waiting.get(id)?.sinceMs ?? nowMs, lastAskedMs: nowMs, silentFromMs: nowMs + (decision.silentAfterMs ?? 0) });
    asksAtMs.set(id, nowMs + nextAskMs(decision.retryAfterMs));
    return false;
  };
  const untilNextAsk = (): boolean => {
    const [id, atMs] = [...asksAtMs].reduce((a, b) => (a[1] <= b[1] ? a : b));
    nowMs = atMs;
    return ask(id);
  };
  ask('holder');
  const idle: number[] = [];
  for (let count = 0; count < turns; count += 1) {
    while (waiting.size < 8) ask(`device-${String(count)}-${String(waiting.size)}`);
    for (const endMs = nowMs + TURN_MS * (1 + random()); nowMs < endMs;) untilNextAsk();
    if (random() < deathRate) asksAtMs.delete([...waiting.keys()].find((id) => asksAtMs.has(id)) ?? '');
    holders.clear();
    const freeFromMs = nowMs;
    while (!untilNextAsk());
    idle.push(nowMs - freeFromMs);
    for (const id of waiting.keys()) if (!asksAtMs.has(id)) waiting.delete(id);
  }
  return idle.sort((a, b) => a - b);
}

test(`a free slot is taken within 11 s, and within 33 s if the first in the queue has died (seed ${String(SEED)})`, () => {
  const [alive, dying] = [idleTimes(300, 0), idleTimes(300, 0.5)];
  expect(alive.at(-1)).toBeLessThan(11_000);
  expect(dying.at(-1)).toBeLessThan(33_000);
});
