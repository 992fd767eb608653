import type { EtcdAccess } from '../../coordinator/store/etcd/etcd-access';
import { encode, Keys } from '../../coordinator/store/etcd/keys';
import { Queues } from '../../coordinator/store/etcd/queues';

/** Times and answers that a real etcd gives only now and then. */

const keys = new Keys('p/');
const kv = (key: string, value: unknown, lease: string) => ({ key: encode(key), value: encode(JSON.stringify(value)), lease });

/** An etcd that needs its time to answer, with these in the queue of one group. */
class SlowEtcd {
  reads = 0;

  constructor(
    private readonly answersAfterMs: number,
    private readonly ids: readonly string[],
  ) {}

  async transact(): Promise<unknown> {
    this.reads += 1;
    const ranges = [
      this.ids.map((id) => kv(keys.waiting('g', id), { sinceMs: 0 }, `place of ${id}`)),
      this.ids.map((id) => kv(keys.asking('g', id), { silentAfterMs: 30_000 }, `voice of ${id}`)),
    ];
    await new Promise((resolve) => { setTimeout(resolve, this.answersAfterMs); });
    return { responses: ranges.map((kvs) => ({ response_range: { kvs } })) };
  }

  /** What is left of a lease: the gateway leaves out a zero. */
  call(): Promise<unknown> {
    return Promise.resolve({ ID: '1', grantedTTL: '30' });
  }
}

function queuesOn(etcd: SlowEtcd): Queues {
  return new Queues(etcd as unknown as EtcdAccess, keys, () => 1_000_000);
}

beforeEach(() => { jest.useFakeTimers(); });
afterEach(() => { jest.useRealTimers(); });

/** Reads the queue, and lets the time of the answer go by. */
async function read(queues: Queues, answersAfterMs: number): Promise<string[]> {
  const queue = queues.of('g');
  await jest.advanceTimersByTimeAsync(answersAfterMs);
  return [...(await queue).keys()];
}

test.each([
  ['ten times as long as it took to read it', 500, 5000],
  ['10 s if etcd was slow', 4000, 10_000],
])('a queue is used for %s', async (_, answersAfterMs, usedForMs) => {
  const etcd = new SlowEtcd(answersAfterMs, ['a']);
  const queues = queuesOn(etcd);
  await read(queues, answersAfterMs);
  await jest.advanceTimersByTimeAsync(usedForMs - 100);
  await read(queues, 0);
  expect(etcd.reads).toBe(1);
  await jest.advanceTimersByTimeAsync(100);
  await read(queues, answersAfterMs);
  expect(etcd.reads).toBe(2);
});

test('when many leave a long queue, it is not read anew after each of them', async () => {
  const etcd = new SlowEtcd(500, ['a', 'b', 'c']);
  const queues = queuesOn(etcd);
  await read(queues, 500);
  await queues.remove('g', 'b');
  expect(await read(queues, 0)).toEqual(['a', 'c']);
  expect(etcd.reads).toBe(1);
});

test('one that leaves while the queue is read is not in it afterwards', async () => {
  const queues = queuesOn(new SlowEtcd(500, ['a', 'b']));
  const reading = read(queues, 500);
  const removed = queues.remove('g', 'a');
  expect(await reading).toEqual(['b']);
  await removed;
});

test('a waiter whose voice ends within a second is passed over afterwards, not at once', async () => {
  const queues = queuesOn(new SlowEtcd(10, ['a']));
  await read(queues, 10);
  const queue = await queues.of('g');
  await queues.readSilence('g', queue, 1);
  expect(queue.get('a')?.silentFromMs).toBe(1_002_000);
});
