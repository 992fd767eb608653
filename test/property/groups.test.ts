import fc from 'fast-check';
import { decide, isSameDevice, type Group, type Holder, type Waiter } from '../../coordinator/groups';

/** Everything that can happen to a group, in any order. */
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ type: fc.constant('ask' as const), id: fc.integer({ min: 0, max: 8 }), instance: fc.constantFrom('x', 'x', 'x', 'y', null) }) },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('back' as const), id: fc.integer({ min: 0, max: 8 }), instance: fc.constantFrom('x', 'x', 'y', null) }) },
    fc.record({ type: fc.constant('slots' as const), slots: fc.integer({ min: 0, max: 4 }) }),
    fc.record({ type: fc.constant('paused' as const), paused: fc.boolean() }),
    { weight: 3, arbitrary: fc.record({ type: fc.constant('later' as const), ms: fc.constantFrom(1000, 15_000, 40_000, 1_000_000) }) },
  ),
  { maxLength: 80 },
);

interface Model extends Group {
  slots: number;
  paused: boolean;
  readonly holders: Map<string, Holder>;
  readonly waiting: Map<string, Waiter>;
}

describe('Groups, whatever happens', () => {
  test('no turn is given beyond the slots, past those who ask in vain, or to two devices with one id', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const group: Model = { name: 'default', slots: 1, paused: false, holders: new Map(), waiting: new Map() };
        let nowMs = 0;
        for (const step of all) {
          if (step.type === 'slots') group.slots = step.slots;
          else if (step.type === 'paused') group.paused = step.paused;
          else if (step.type === 'later') nowMs += step.ms;
          else {
            const device = { id: String(step.id), instance: step.instance };
            const holder = group.holders.get(device.id);
            if (step.type === 'back') {
              if (holder === undefined) group.waiting.delete(device.id);
              else if (isSameDevice(holder, device)) group.holders.delete(device.id);
              continue;
            }
            const decision = decide(group, device, nowMs);
            if (decision.kind === 'confirmed') expect(holder).toMatchObject(device);
            if (decision.kind === 'granted') {
              expect(holder).toBeUndefined();
              expect(group.paused).toBe(false);
              expect(group.holders.size).toBeLessThan(group.slots);
              const before = [...group.waiting.keys()];
              const place = before.indexOf(device.id);
              const ahead = before.slice(0, place === -1 ? undefined : place).filter((id) => (group.waiting.get(id)?.silentFromMs ?? 0) > nowMs);
              expect(ahead.length).toBeLessThan(group.slots - group.holders.size);
              group.waiting.delete(device.id);
              group.holders.set(device.id, { ...device, sinceMs: nowMs });
            }
            if (decision.kind === 'refused') {
              // There is always a reason.
              if (decision.code === 'other_instance') expect(holder !== undefined && holder.instance !== device.instance).toBe(true);
              if (decision.code === 'paused') expect(group.paused).toBe(true);
              if (decision.code === 'all_slots_full') expect(group.holders.size).toBeGreaterThanOrEqual(group.slots);
              if (decision.code === 'not_your_turn') expect([...group.waiting.values()].some(({ silentFromMs }) => silentFromMs > nowMs)).toBe(true);
              if (decision.silentAfterMs !== null) {
                const sinceMs = group.waiting.get(device.id)?.sinceMs ?? nowMs;
                group.waiting.set(device.id, { id: device.id, sinceMs, lastAskedMs: nowMs, silentFromMs: nowMs + decision.silentAfterMs });
              }
            }
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('whoever keeps asking gets a turn, if turns are given back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 30 }), fc.array(fc.nat({ max: 29 }), { minLength: 1, maxLength: 30 }), (slots, count, order) => {
        const group: Model = { name: 'default', slots, paused: false, holders: new Map(), waiting: new Map() };
        const served: string[] = [];
        let nowMs = 0;
        const ask = (id: string): void => {
          const decision = decide(group, { id, instance: null }, nowMs);
          if (decision.kind === 'granted') {
            group.waiting.delete(id);
            group.holders.set(id, { id, instance: null, sinceMs: nowMs });
            served.push(id);
          } else if (decision.kind === 'refused' && decision.silentAfterMs !== null) {
            const sinceMs = group.waiting.get(id)?.sinceMs ?? nowMs;
            group.waiting.set(id, { id, sinceMs, lastAskedMs: nowMs, silentFromMs: nowMs + decision.silentAfterMs });
          }
        };
        const ids = [...new Set([...order.map((each) => each % count), ...Array(count).keys()])].map(String);
        for (const id of ids) ask(id);
        while (served.length < ids.length) {
          nowMs += 5000;
          const [done] = group.holders.keys();
          if (done !== undefined) group.holders.delete(done);
          for (const id of [...ids].reverse()) if (!served.includes(id)) ask(id);
        }
        // In the order of first asking, although those behind ask sooner each time: as many at once as slots were free.
        expect([...served].map(Number)).toEqual(ids.map(Number));
      }),
    );
  });
});
