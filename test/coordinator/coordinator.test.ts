import { Coordinator } from '../../coordinator/coordinator';
import type { GivenBack, Store } from '../../coordinator/store/store';

const NOBODY = { asked: () => undefined, givenBack: () => undefined, released: () => undefined, changed: () => undefined };

/** A store that has not seen yet that another coordinator has made the group. */
function coordinatorOnLateStore(result: GivenBack): Coordinator {
  const store: Pick<Store, 'read' | 'giveBack'> = { read: () => Promise.resolve(null), giveBack: () => Promise.resolve(result) };
  return new Coordinator(store as Store, { slots: new Map(), slotsOfAny: null }, () => 0, NOBODY);
}

test.each([
  ['turn', 'turn'],
  ['place', 'place'],
  ['nothing', null],
] as const)('what a device gives back is taken although the group seems not to exist: %s', async (inStore, result) => {
  expect(await coordinatorOnLateStore(inStore).giveBack('default', { id: 'a', instance: null })).toBe(result);
});
