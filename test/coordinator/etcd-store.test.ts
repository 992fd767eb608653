import { setTimeout as sleep } from 'node:timers/promises';
import { Coordinator } from '../../coordinator/coordinator';
import { EtcdStore, type EtcdGroup } from '../../coordinator/store/etcd/etcd-store';
import { Etcd } from '../support/etcd';
import { describeStore } from './store-contract';

let etcd: Etcd;
let count = 0;
const opened: EtcdStore[] = [];

beforeAll(async () => {
  etcd = await Etcd.start();
});
afterAll(() => etcd.stop());

const SETTINGS = { ca: null, cert: null, key: null, user: null, password: null };

function open(prefix: string): EtcdStore {
  const store = new EtcdStore({ ...SETTINGS, endpoints: etcd.endpoints, prefix }, () => Date.now());
  opened.push(store);
  return store;
}

async function closeAll(): Promise<void> {
  for (const store of opened.splice(0)) await store.close();
}
afterEach(closeAll);

const newPrefix = (): string => `test-${String((count += 1))}/`;

describe('The etcd store, as every store,', () => {
  describeStore(() => {
    const prefix = newPrefix();
    return Promise.resolve({
      store: open(prefix),
      reopen: async () => {
        await closeAll();
        return open(prefix);
      },
      // etcd ends leases within a second or two after their time.
      untilSilent: () => sleep(6000),
      nowMs: () => Date.now(),
    });
  }, closeAll);
});

describe('The etcd store', () => {
  test('asking again writes nothing', async () => {
    const store = open(newPrefix());
    await store.setGroup('default', { slots: 0, paused: false, isAdHoc: false }, null);
    const wait = async (): Promise<void> => {
      const group = await store.read('default');
      if (group === null) throw new Error('there is no group');
      await store.wait(group, 'a', 60_000, Date.now());
    };
    await wait();
    const before = await etcd.revision();
    for (let index = 0; index < 20; index += 1) await wait();
    expect(await etcd.revision()).toBe(before);
  });

  test('of two coordinators that have read the same, one gives the turn', async () => {
    const prefix = newPrefix();
    const [one, other] = [open(prefix), open(prefix)];
    await one.setGroup('default', { slots: 1, paused: false, isAdHoc: false }, null);
    const [first, second] = [await one.read('default'), await other.read('default')];
    if (first === null || second === null) throw new Error('there is no group');
    const results = await Promise.all([one.grant(first, { id: 'a', instance: null }, 0), other.grant(second, { id: 'b', instance: null }, 0)]);
    expect([...results].sort()).toEqual(['conflict', 'done']);
    expect((await open(prefix).read('default'))?.holders.size).toBe(1);
  });

  test('a device with a turn is not refused by what was read before it got it', async () => {
    const prefix = newPrefix();
    const [one, other] = [open(prefix), open(prefix)];
    await one.setGroup('default', { slots: 1, paused: false, isAdHoc: false }, null);
    const before = await other.read('default');
    const group = await one.read('default');
    if (group === null || before === null) throw new Error('there is no group');
    expect(await one.grant(group, { id: 'a', instance: null }, 0)).toBe('done');
    expect(await other.wait(before, 'a', 30_000, Date.now())).toBe('conflict');
    expect(await other.wait(before, 'b', 30_000, Date.now())).toBe('done');
  });

  test('a turn is not given by what was read before an admin has changed the group', async () => {
    const prefix = newPrefix();
    const [one, other] = [open(prefix), open(prefix)];
    await one.setGroup('default', { slots: 1, paused: false, isAdHoc: false }, null);
    const group = await one.read('default');
    if (group === null) throw new Error('there is no group');
    await other.setGroup('default', { slots: 1, paused: true, isAdHoc: false }, await other.read('default'));
    expect(await one.grant(group, { id: 'a', instance: null }, 0)).toBe('conflict');
  });

  test('who has got a turn by another coordinator has it at once, and does not wait any more', async () => {
    const prefix = newPrefix();
    const [one, other] = [open(prefix), open(prefix)];
    await one.setGroup('default', { slots: 2, paused: false, isAdHoc: false }, null);
    const read = async (store: EtcdStore): Promise<EtcdGroup> => {
      const group = await store.read('default');
      if (group === null) throw new Error('there is no group');
      return group;
    };
    for (const id of ['a', 'b', 'c']) await one.wait(await read(one), id, 60_000, Date.now());
    for (const id of ['a', 'b']) {
      expect(await other.grant(await read(other), { id, instance: null }, 0)).toBe('done');
      const { holders, waiting } = await read(one);
      expect([holders.has(id), waiting.has(id)]).toEqual([true, false]);
    }
    expect(await one.wait(await read(one), 'a', 60_000, Date.now())).toBe('conflict');
    expect([...(await read(one)).waiting.keys()]).toEqual(['c']);
  });

  describe('A poll', () => {
    const read = async (store: EtcdStore): Promise<EtcdGroup> => {
      const group = await store.read('default');
      if (group === null) throw new Error('there is no group');
      return group;
    };
    /** Asks as a coordinator does: it reads anew after a conflict. */
    const poll = async (store: EtcdStore, group: EtcdGroup, id: string, silentAfterMs: number, nowMs: number): Promise<void> => {
      if ((await store.wait(group, id, silentAfterMs, nowMs)) === 'conflict') expect(await store.wait(await read(store), id, silentAfterMs, nowMs)).toBe('done');
    };
    let prefix: string;
    let store: EtcdStore;
    let before: EtcdGroup;
    beforeEach(async () => {
      prefix = newPrefix();
      store = open(prefix);
      await store.setGroup('default', { slots: 0, paused: false, isAdHoc: false }, null);
      before = await read(store);
    });

    test('keeps the voice of one that has joined by another coordinator since the queue was read', async () => {
      const other = open(prefix);
      await poll(other, await read(other), 'a', 30_000, 1);
      await poll(store, before, 'a', 90_000, 2);
      const { kvs: [voice] } = await etcd.ask('/v3/kv/range', { key: Buffer.from(`${prefix}asking/default/a`).toString('base64') });
      expect(JSON.parse(Buffer.from(voice.value, 'base64').toString())).toEqual({ silentAfterMs: 90_000 });
    });

    test('gives a place to one that has lost it, even if its leases still live', async () => {
      await poll(store, before, 'a', 30_000, 1);
      const group = await read(store);
      for (const kind of ['waiting', 'asking']) await etcd.ask('/v3/kv/deleterange', { key: Buffer.from(`${prefix}${kind}/default/a`).toString('base64') });
      await poll(store, group, 'a', 30_000, 2);
      expect([...(await read(open(prefix))).waiting.keys()]).toEqual(['a']);
    });

    test('is remembered although the queue is read anew meanwhile', async () => {
      for (const id of ['a', 'b']) await poll(store, before, id, 30_000, 1);
      const group = await read(store);
      // What is read takes milliseconds, and is used for ten times as long.
      await sleep(500);
      await read(store);
      await poll(store, group, 'a', 30_000, 2);
      expect((await read(store)).waiting.get('a')?.lastAskedMs).toBe(2);
    });
  });

  test('of many devices that ask at once for as many slots, each gets its turn', async () => {
    const nobody = { asked: () => undefined, givenBack: () => undefined, released: () => undefined, changed: () => undefined };
    const coordinator = new Coordinator(open(newPrefix()), { slots: new Map([['default', 60]]), slotsOfAny: null }, () => Date.now(), nobody);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => coordinator.ask('default', { id: String(index), instance: null })));
    expect(answers.filter((answer) => answer?.kind === 'granted')).toHaveLength(60);
  });

  test('a group that was read while it was made is there as soon as it is made', async () => {
    const store = open(newPrefix());
    for (let index = 0; index < 20; index += 1) {
      const name = `group-${String(index)}`;
      const made = store.setGroup(name, { slots: 1, paused: false, isAdHoc: false }, null);
      const meanwhile = store.read(name);
      expect(await made).toBe('done');
      await meanwhile;
      expect(await store.read(name)).toMatchObject({ slots: 1 });
    }
  });

  test('while a slot is free, it is known when the first in the queue will be passed over', async () => {
    const prefix = newPrefix();
    const store = open(prefix);
    await store.setGroup('default', { slots: 1, paused: true, isAdHoc: false }, null);
    const group = await store.read('default');
    if (group === null) throw new Error('there is no group');
    for (const id of ['a', 'b']) await store.wait(group, id, 30_000, Date.now());
    const silentIn = async (): Promise<number[]> => [...((await open(prefix).read('default'))?.waiting.values() ?? [])].map(({ silentFromMs }) => silentFromMs - Date.now());
    expect(await silentIn()).toEqual([Infinity, Infinity]);
    await store.setGroup('default', { slots: 1, paused: false, isAdHoc: false }, await store.read('default'));
    const [first = 0, second] = await silentIn();
    expect(first).toBeGreaterThan(20_000);
    expect(first).toBeLessThanOrEqual(32_000);
    expect(second).toBe(Infinity);
  });

  test('history is compacted', async () => {
    const store = new EtcdStore({ ...SETTINGS, endpoints: etcd.endpoints, prefix: newPrefix() }, () => Date.now(), 200);
    opened.push(store);
    await store.setGroup('default', { slots: 1, paused: false, isAdHoc: false }, null);
    const old = await etcd.revision() - 1;
    for (;;) {
      const answer = await etcd.ask('/v3/kv/range', { key: 'YQ==', revision: String(old) });
      await store.setGroup('default', { slots: 1, paused: false, isAdHoc: false }, await store.read('default'));
      if (String(answer.message ?? '').includes('compacted')) break;
      await sleep(50);
    }
  });

  test('without any member there is no answer, and it says so', async () => {
    const store = new EtcdStore({ ...SETTINGS, endpoints: ['http://127.0.0.1:1', 'http://127.0.0.1:2'], prefix: 'x/' }, () => Date.now());
    opened.push(store);
    await expect(store.read('default')).rejects.toThrow('no member of etcd answers');
    expect(await store.problem()).toContain('no member of etcd answers');
  });
});
