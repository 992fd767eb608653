import { countAsking, decide, isStale, type Device, type Group, type Waiter } from '../../coordinator/groups';

const NOW = 1_000_000;

interface Given {
  readonly slots?: number;
  readonly paused?: boolean;
  /** `id` or `id/instance`. */
  readonly holders?: readonly string[];
  /** A name in brackets is one that does not ask any more. */
  readonly waiting?: readonly string[];
}

function device(text: string): Device {
  const [id = '', instance = null] = text.split('/');
  return { id, instance };
}

function group({ slots = 1, paused = false, holders = [], waiting = [] }: Given): Group {
  return {
    name: 'default',
    slots,
    paused,
    holders: new Map(holders.map(device).map((each) => [each.id, { ...each, sinceMs: 0 }])),
    waiting: new Map(waiting.map(waiter).map((each) => [each.id, each])),
  };
}

function waiter(text: string): Waiter {
  const isSilent = text.startsWith('(');
  return { id: text.replaceAll(/[()]/g, ''), sinceMs: 0, lastAskedMs: 0, silentFromMs: isSilent ? NOW : NOW + 1 };
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `w${String(index)}`);
}

describe('Who gets the next turn', () => {
  test.each<[string, Given, string, string]>([
    ['the first who asks', {}, 'a', 'granted'],
    ['not a second one', { holders: ['b'] }, 'a', 'all_slots_full'],
    ['a second one where there are two slots', { slots: 2, holders: ['b'] }, 'a', 'granted'],
    ['nobody where there are no slots', { slots: 0 }, 'a', 'all_slots_full'],
    ['nobody while there are more turns than slots', { slots: 1, holders: ['b', 'c'] }, 'a', 'all_slots_full'],
    ['the holder again, whose answer may have been lost', { holders: ['a'] }, 'a', 'confirmed'],
    ['the holder again while the group is paused', { paused: true, holders: ['a'] }, 'a', 'confirmed'],
    ['the holder again when slots were taken away', { slots: 0, holders: ['a'] }, 'a', 'confirmed'],
    ['nobody new while the group is paused', { paused: true }, 'a', 'paused'],
    ['the first of the queue', { waiting: ['a', 'b'] }, 'a', 'granted'],
    ['not the second of the queue', { waiting: ['b', 'a'] }, 'a', 'not_your_turn'],
    ['not one that has just come', { waiting: ['b'] }, 'a', 'not_your_turn'],
    ['as many of the queue as there are free slots', { slots: 3, holders: ['x'], waiting: ['b', 'a'] }, 'a', 'granted'],
    ['and no more', { slots: 3, holders: ['x'], waiting: ['b', 'c', 'a'] }, 'a', 'not_your_turn'],
    ['the second, once the first is silent', { waiting: ['(b)', 'a'] }, 'a', 'granted'],
    ['the first, as soon as it asks again', { waiting: ['(a)', 'b'] }, 'a', 'granted'],
    ['the same device as before', { holders: ['a/1'] }, 'a/1', 'confirmed'],
    ['not another device with the same id', { holders: ['a/1'] }, 'a/2', 'other_instance'],
    ['not one that does not say which it is', { holders: ['a/1'] }, 'a', 'other_instance'],
    ['not one that says it to a turn without', { holders: ['a'] }, 'a/1', 'other_instance'],
    ['no other device with the same id even where slots are free', { slots: 2, holders: ['a/1'] }, 'a/2', 'other_instance'],
  ])('%s', (_, given, asker, expected) => {
    const decision = decide(group(given), device(asker), NOW);
    expect(decision.kind === 'refused' ? decision.code : decision.kind).toBe(expected);
  });
});

describe('When to ask again', () => {
  test.each([
    [1, 0, 10],
    [1, 1, 10],
    [1, 2, 30],
    [1, 4, 90],
    [1, 6, 300],
    [1, 9999, 300],
    [0, 1, 10],
    [0, 2, 30],
    [10, 19, 10],
    [10, 20, 30],
    [10, 40, 90],
    [10, 60, 300],
  ])('with %i slots and %i devices ahead: after %i s', (slots, ahead, seconds) => {
    const holders = names(slots).map((name) => `holder-${name}`);
    const decision = decide(group({ slots, holders, waiting: names(ahead) }), device('a'), NOW);
    expect(decision).toMatchObject({ kind: 'refused', retryAfterMs: seconds * 1000, silentAfterMs: 3 * seconds * 1000 });
  });

  test('those ahead that do not ask any more do not count', () => {
    const silent = names(5000).map((name) => `(${name})`);
    expect(decide(group({ holders: ['b'], waiting: silent }), device('a'), NOW)).toMatchObject({ retryAfterMs: 10_000 });
  });

  test('another device with the same id gets no place in the queue, and is to ask rarely', () => {
    expect(decide(group({ holders: ['a/1'] }), device('a/2'), NOW)).toMatchObject({ silentAfterMs: null, retryAfterMs: 300_000 });
  });

  test('10,000 devices that wait cost less than 50 requests a second', () => {
    const ids = names(10_000);
    for (const slots of [1, 5, 50]) {
      const full = group({ slots, holders: names(slots).map((name) => `holder-${name}`), waiting: ids });
      // Each from its place: the first without anybody ahead, and so on.
      const paces = [0, 1, 2, 3, 4, 5].map((step) => Math.max(2, 2 * slots) * step).map((at) => decide(full, device(ids[at] ?? ''), NOW));
      let perSecond = 0;
      for (let at = 0; at < ids.length; at += 1) {
        const pace = paces[Math.min(5, Math.floor(at / Math.max(2, 2 * slots)))];
        if (pace?.kind === 'refused') perSecond += 1000 / pace.retryAfterMs;
      }
      expect(perSecond).toBeGreaterThan(33);
      expect(perSecond).toBeLessThan(50);
    }
  });
});

describe('What people are shown', () => {
  test('a turn is stale once it has lasted for that long', () => {
    expect([999, 1000].map((nowMs) => isStale({ id: 'a', instance: null, sinceMs: 0 }, 1000, nowMs))).toEqual([false, true]);
  });

  test('those who wait and still ask', () => {
    expect(countAsking(group({ waiting: ['a', '(b)', 'c'] }), NOW)).toBe(2);
  });
});
