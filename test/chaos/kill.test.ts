import { setTimeout as sleep } from 'node:timers/promises';
import { newSeed, seededRandom } from '../support/random';
import { Watchers } from '../support/readers';
import { Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

const KILLS = 60;

/** Repeats requests as an app would, whatever becomes of them, and remembers what was acknowledged. */
class Load {
  readonly acknowledged = new Set<string>();
  #isOver = false;
  readonly #runs: Promise<void>[];

  constructor(
    private readonly current: () => Sidecar,
    workers: number,
  ) {
    this.#runs = Array.from({ length: workers }, (_, worker) => this.#run(worker));
  }

  async #run(worker: number): Promise<void> {
    for (let i = 0; !this.#isOver; i += 1) {
      const name = `worker-${String(worker)}-${String(i)}`;
      try {
        const { status } = await this.current().put(name, { ttl: 600 });
        if (status === 201) this.acknowledged.add(name);
        if (i % 3 > 0) {
          // From here on it may be gone: the answer may be lost on the way.
          this.acknowledged.delete(name);
          await this.current().release(name);
        }
      } catch {
        // The sidecar was killed under this request, and nothing was acknowledged.
        await sleep(5);
      }
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#runs);
  }
}

const SEED = newSeed();
const random = seededRandom(SEED);

test(`over ${String(KILLS)} kill -9 under load (seed ${String(SEED)}) nothing gets past the lock, and no acknowledged lease is lost`, async () => {
  let sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_MAX_LEASES: '5000', UPDATE_LOCK_LOG_LEVEL: 'info' } });
  await sidecar.put('always', { ttl: 3600 });
  const watchers = [...sidecar.lockFiles].map((path) => new Watchers(path));
  const load = new Load(() => sidecar, 4);
  for (let i = 0; i < KILLS; i += 1) {
    // At any moment of its life: while it starts and recovers, or serves.
    // However slow the machine, it serves every third time.
    if (i % 3 === 2) await sidecar.logged('ready');
    await sleep(i % 3 === 0 ? 40 + random() * 200 : 300 + random() * 500);
    await sidecar.kill();
    sidecar = Sidecar.spawn({ folder: sidecar.folder, environment: { UPDATE_LOCK_MAX_LEASES: '5000', UPDATE_LOCK_LOG_LEVEL: 'info' } });
  }
  await sidecar.logged('ready');
  await load.stop();
  expect(await Promise.all(watchers.map((watcher) => watcher.stop()))).toEqual(['', '']);
  const live = new Set(((await sidecar.send('GET', '/v1/leases')).body.leases as { name: string }[]).map(({ name }) => name));
  expect([...load.acknowledged].filter((name) => !live.has(name))).toEqual([]);
  expect(live).toContain('always');
  expect(load.acknowledged.size).toBeGreaterThan(10);
}, 120_000);
