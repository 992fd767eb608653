import fc from 'fast-check';
import { FleetWorld, key, NAMES, type Fate } from '../unit/fleet-world';

/** One thing that happens to a device, its server, or the network between them. */
type Step =
  | { readonly kind: 'pass'; readonly minutes: number }
  | { readonly kind: 'waits'; readonly what: 'release' | 'reboot' | 'both' | 'nothing' }
  | { readonly kind: 'updating' | 'allowed' | 'app' | 'well' | 'known' | 'due'; readonly isSo: boolean }
  | { readonly kind: 'fate'; readonly fate: Fate }
  | { readonly kind: 'server'; readonly isFull: boolean }
  | { readonly kind: 'crash' | 'reboot' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'target' | 'runs' | 'os'; readonly version: string }
  | { readonly kind: 'old'; readonly isSo: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), minutes: fc.constantFrom(0.002, 0.1, 1, 5, 25) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('waits' as const), what: fc.constantFrom('release' as const, 'reboot' as const, 'both' as const, 'nothing' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('updating' as const, 'allowed' as const, 'app' as const, 'well' as const, 'known' as const, 'due' as const), isSo: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('fate' as const), fate: fc.constantFrom<Fate>('answered', 'lost before', 'lost after', 'bad gateway') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('server' as const), isFull: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'reboot' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('target' as const, 'runs' as const, 'os' as const), version: fc.constantFrom('1', '2') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('old' as const), isSo: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('group' as const), group: fc.constantFrom('default', 'canary') }) },
);

async function take(world: FleetWorld, one: Step): Promise<void> {
  switch (one.kind) {
    case 'pass': return world.pass(one.minutes * 60_000);
    case 'waits':
      world.waiting = one.what === 'nothing' ? [] : one.what === 'both' ? ['release', 'reboot'] : [one.what];
      break;
    case 'updating': world.isUpdating = one.isSo && !world.isHeld; break;
    case 'allowed': world.isAllowed = one.isSo; break;
    case 'app': world.apps = one.isSo ? ['app'] : []; break;
    case 'target': case 'runs': case 'os': world[one.kind] = one.version; break;
    case 'old': world.tooOld = one.isSo ? 'too old' : null; break;
    case 'well': world.reading = { waiting: world.waiting, trouble: one.isSo ? null : 'not running: main' }; break;
    case 'known': world.isKnown = one.isSo; break;
    case 'due': world.deadline.isDue = one.isSo; break;
    case 'fate': world.fate = one.fate; break;
    case 'server': world.refusal = one.isFull ? { kind: 'refused', detail: 'full', retryAfterMs: null } : null; break;
    case 'crash': world.restart(); break;
    case 'reboot': world.restart({ boot: `boot-${String(Math.random())}` }); break;
    case 'group': world.restart({ names: { ...NAMES, group: one.group } }); break;
  }
  return world.pass(1);
}

/** The lock is free only in a turn that the server has given, and not taken back; because somebody allows it; or since nobody can tell what waits. */
function isFreeForGood(world: FleetWorld): boolean {
  const { turn } = world.memory;
  return world.isHeld || world.isAllowed || world.fleet.problem !== null || (turn !== null && world.turns.has(key(turn.names)));
}

beforeEach(() => { jest.useFakeTimers(); });
afterEach(() => { jest.useRealTimers(); });

test('whatever happens, the lock is free only in a turn, and every turn is given back in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = new FleetWorld();
      try {
        for (const one of steps) {
          await take(world, one);
          expect(isFreeForGood(world)).toBe(true);
          // A turn that was given or may have been is remembered.
          const remembered = [world.memory.turn?.names, world.memory.asked, ...world.memory.toReturn].flatMap((names) => (names ? [key(names)] : []));
          for (const held of world.turns) expect(remembered).toContain(held);
        }
        // All is well in the end.
        Object.assign(world, { waiting: [], apps: [], isUpdating: false, isAllowed: false, isKnown: true, tooOld: null, fate: 'answered', refusal: null });
        Object.assign(world, { reading: { waiting: [], trouble: null } });
        await world.pass(60 * 60_000);
        expect([world.state, world.isHeld, [...world.turns]]).toEqual(['idle', true, []]);
      } finally {
        world.fleet.close();
      }
    }),
    { numRuns: 200 },
  );
}, 60_000);

test('a device that does not get well never gives its turn back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step.filter(({ kind }) => !['well', 'allowed', 'waits', 'group', 'updating', 'old'].includes(kind)), { maxLength: 20 }), async (steps) => {
      const world = new FleetWorld();
      try {
        world.waiting = ['release'];
        await world.pass(200);
        world.isUpdating = true;
        await world.pass(10_000);
        Object.assign(world, { isUpdating: false, waiting: [], reading: { waiting: [], trouble: 'not running: main' } });
        for (const one of steps) await take(world, one);
        expect([...world.turns]).toEqual([key(NAMES)]);
        expect(world.returned).toEqual([]);
      } finally {
        world.fleet.close();
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);
