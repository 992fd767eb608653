import type { GroupSettings, Store, StoredGroup } from '../../coordinator/store/store';

/** A store to test, and another one that is opened on the same data. */
export interface TestedStore {
  readonly store: Store;
  /** Closes the store and opens one on what it has left. */
  readonly reopen: () => Promise<Store>;
  /** What `silentAfterMs` has to be, and how to let that time go by. */
  readonly untilSilent: () => Promise<void>;
  readonly nowMs: () => number;
}

const SETTINGS: GroupSettings = { slots: 1, paused: false, isAdHoc: false };
const SILENT_AFTER_MS = 3000;

/** What every store has to do, as the tests of all of them. */
export function describeStore(open: () => Promise<TestedStore>, close: () => Promise<void>): void {
  let tested: TestedStore;
  let store: Store;

  beforeEach(async () => {
    tested = await open();
    ({ store } = tested);
  });
  afterEach(() => close());

  const device = (id: string, instance: string | null = null) => ({ id, instance });
  const read = async (name = 'default', from = store): Promise<StoredGroup> => {
    const group = await from.read(name);
    if (group === null) throw new Error(`there is no group ${name}`);
    return group;
  };
  const make = async (name = 'default', settings = SETTINGS): Promise<StoredGroup> => {
    expect(await store.setGroup(name, settings, null)).toBe('done');
    return read(name);
  };
  const wait = async (id: string, name = 'default'): Promise<string> => store.wait(await read(name), id, SILENT_AFTER_MS, tested.nowMs());

  test('a group that nobody has made does not exist', async () => {
    expect(await store.read('default')).toBeNull();
    expect(await store.readAll()).toEqual([]);
    expect(await store.giveBack('default', device('a'))).toBe('nothing');
    expect(await store.release('default', 'a')).toBe(false);
    expect(await store.hasTurn('default', device('a'))).toBe(false);
  });

  test('groups are made once, changed, and listed by name', async () => {
    await make('default');
    await make('canary', { slots: 5, paused: true, isAdHoc: true });
    expect(await store.setGroup('default', SETTINGS, null)).toBe('conflict');
    expect(await store.setGroup('default', { slots: 2, paused: true, isAdHoc: false }, await read())).toBe('done');
    expect((await store.readAll()).map(({ name, slots, paused, isAdHoc }) => ({ name, slots, paused, isAdHoc }))).toEqual([
      { name: 'canary', slots: 5, paused: true, isAdHoc: true },
      { name: 'default', slots: 2, paused: true, isAdHoc: false },
    ]);
  });

  test('a turn is given, shown and taken back, with whom and since when', async () => {
    const group = await make();
    expect(await store.grant(group, device('a', 'x'), 12_345)).toBe('done');
    expect([...(await read()).holders.values()]).toEqual([{ id: 'a', instance: 'x', sinceMs: 12_345 }]);
    expect(await store.hasTurn('default', device('a', 'x'))).toBe(true);
    expect(await store.hasTurn('default', device('a', 'y'))).toBe(false);
    expect(await store.hasTurn('default', device('a'))).toBe(false);
    expect(await store.giveBack('default', device('a', 'y'))).toBe('nothing');
    expect(await store.giveBack('default', device('a', 'x'))).toBe('turn');
    expect(await store.giveBack('default', device('a', 'x'))).toBe('nothing');
    expect((await read()).holders.size).toBe(0);
  });

  test('what was read before another turn was given is a conflict if no slot is free now', async () => {
    const group = await make();
    expect(await store.grant(group, device('a'), 0)).toBe('done');
    expect(await store.grant(group, device('b'), 0)).toBe('conflict');
    expect(await store.grant(await read(), device('a'), 0)).toBe('conflict');
    expect([...(await read()).holders.keys()]).toEqual(['a']);
  });

  test('of many that are given at once no more are given than there are slots', async () => {
    await make('default', { ...SETTINGS, slots: 3 });
    const grants = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        for (;;) {
          const group = await read();
          if (group.holders.size >= group.slots) return 'full';
          if ((await store.grant(group, device(`d${String(index)}`), 0)) === 'done') return 'done';
        }
      }),
    );
    expect(grants.filter((each) => each === 'done')).toHaveLength(3);
    expect((await read()).holders.size).toBe(3);
  });

  test('an admin takes a turn away', async () => {
    expect(await store.grant(await make(), device('a', 'x'), 0)).toBe('done');
    expect(await store.release('default', 'b')).toBe(false);
    expect(await store.release('default', 'a')).toBe(true);
    expect(await store.release('default', 'a')).toBe(false);
    expect(await store.hasTurn('default', device('a', 'x'))).toBe(false);
  });

  test('the queue is in the order of first asking, whatever the names', async () => {
    await make();
    for (const id of ['c', 'a', 'b', 'c', 'ä/b c', 'a']) await wait(id);
    expect([...(await read()).waiting.keys()]).toEqual(['c', 'a', 'b', 'ä/b c']);
  });

  test('asking again keeps the place, the time of first asking and the voice', async () => {
    await make();
    await wait('a');
    const before = (await read()).waiting.get('a');
    await wait('a');
    const after = (await read()).waiting.get('a');
    expect(after?.sinceMs).toBe(before?.sinceMs);
    expect(after?.silentFromMs).toBeGreaterThan(tested.nowMs());
    expect(Math.abs((after?.sinceMs ?? 0) - tested.nowMs())).toBeLessThan(60_000);
  });

  test('one that is silent for longer than it may be has its place still, and its voice again when it asks', async () => {
    await make();
    await wait('a');
    await tested.untilSilent();
    await wait('b');
    const silent = (await read()).waiting;
    expect([...silent.keys()]).toEqual(['a', 'b']);
    expect(silent.get('a')?.silentFromMs).toBeLessThanOrEqual(tested.nowMs());
    expect(silent.get('b')?.silentFromMs).toBeGreaterThan(tested.nowMs());
    await wait('a');
    const again = (await read()).waiting;
    expect([...again.keys()]).toEqual(['a', 'b']);
    expect(again.get('a')?.silentFromMs).toBeGreaterThan(tested.nowMs());
  });

  test('a turn takes out of the queue; who has one gets no place; giving back a place leaves the others', async () => {
    await make();
    for (const id of ['a', 'b', 'c']) await wait(id);
    expect(await store.grant(await read(), device('a'), 0)).toBe('done');
    expect(await wait('a')).toBe('conflict');
    expect([...(await read()).waiting.keys()]).toEqual(['b', 'c']);
    expect(await store.giveBack('default', device('b'))).toBe('place');
    expect([...(await read()).waiting.keys()]).toEqual(['c']);
  });

  test('groups do not know of each other, even where one name begins with the other', async () => {
    await make('a');
    await make('a.b');
    expect(await store.grant(await read('a.b'), device('x'), 0)).toBe('done');
    await wait('y', 'a.b');
    const group = await read('a');
    expect([group.holders.size, group.waiting.size]).toEqual([0, 0]);
  });

  test('all of it is there after the store was opened anew', async () => {
    await make('default', { ...SETTINGS, slots: 2 });
    await make('canary', { slots: 5, paused: true, isAdHoc: true });
    expect(await store.grant(await read(), device('a', 'x'), 1)).toBe('done');
    expect(await store.grant(await read(), device('b'), 2)).toBe('done');
    expect(await store.giveBack('default', device('b'))).toBe('turn');
    for (const id of ['e', 'd', 'c']) await wait(id);
    expect(await store.giveBack('default', device('d'))).toBe('place');
    const again = await tested.reopen();
    const group = await read('default', again);
    expect(group).toMatchObject({ name: 'default', slots: 2, paused: false, isAdHoc: false });
    expect([...group.holders.values()]).toEqual([{ id: 'a', instance: 'x', sinceMs: 1 }]);
    expect([...group.waiting.keys()]).toEqual(['e', 'c']);
    expect(await read('canary', again)).toMatchObject({ slots: 5, paused: true, isAdHoc: true });
    expect(await again.problem()).toBeNull();
  });
}
