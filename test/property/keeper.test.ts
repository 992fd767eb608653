import fc from 'fast-check';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Timeline } from '../../server/clock';
import { lostCooldown } from '../../sidecar/gates/lost-cooldown';
import type { KeeperEvent } from '../../sidecar/events/event';
import { Keeper } from '../../sidecar/keeper/keeper';
import { LockUser } from '../../sidecar/lock/lock-user';
import { openStore } from '../../sidecar/keeper/open-store';
import { endGuards, makeFolder } from '../support/sidecar';
import { FakeClock } from '../unit/fake-clock';
import { KeeperModel, MODEL_LIMITS, type Ask } from './keeper-model';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const folder = makeFolder();
const user = LockUser.detect();
afterAll(() => {
  endGuards(folder);
  rmSync(folder, { recursive: true, force: true });
});

/** The keeper and the model side by side, on a real directory and a clock of their own. */
class Pair {
  readonly model = new KeeperModel();
  readonly events: KeeperEvent[] = [];
  readonly #clock = new FakeClock(this.model.nowMs);
  readonly #directory = mkdtempSync(join(folder, 'lock-'));
  #keeper = this.#open();

  acquire(ask: Ask): void {
    const outcome = this.#keeper.acquire({ ...ask, kind: 'timed', reason: `because of ${ask.name}`, peer: 'unix' });
    const done = outcome.kind === 'refused' ? outcome.refusal.code : outcome.isNew ? 'new' : 'renewed';
    expect(done).toBe(this.model.acquire(ask));
  }

  release(name: string): void {
    expect(this.#keeper.end(name, 'released') !== undefined).toBe(this.model.release(name));
  }

  advance(ms: number): void {
    this.#clock.advance(ms);
    // As the timer would.
    this.#keeper.tick();
    this.model.advance(ms);
  }

  /** Somebody takes one of the files away, and the kernel tells us. */
  lose(file: string): void {
    this.#keeper.tick();
    const path = join(this.#directory, file);
    if (existsSync(path)) unlinkSync(path);
    this.#keeper.look();
    this.model.lose();
  }

  restart(downMs: number): void {
    this.#keeper.stop(false);
    this.#keeper.close();
    this.#clock.advance(downMs);
    this.model.restart(downMs);
    this.#keeper = this.#open();
  }

  /** Everything that can be seen of the keeper, by asking it and by looking into the directory. */
  check(): void {
    const { live, ended } = this.model;
    const asSeen = this.#keeper.leases().map(({ name, sinceMs, ttlMs, endsAtMs, renewals }) => [name, { sinceMs, ttlMs, endsAtMs, renewals }]);
    expect(asSeen.map(([name]) => name).sort()).toEqual([...live.keys()].sort());
    expect(Object.fromEntries(asSeen)).toEqual(Object.fromEntries(live));
    expect(this.#keeper.leases().map(({ sinceMs }) => sinceMs)).toEqual([...live.values()].map(({ sinceMs }) => sinceMs).sort((a, b) => a - b));
    for (const name of NAMES) {
      expect(this.#keeper.get(name)?.endsAtMs).toBe(live.get(name)?.endsAtMs);
      // Nobody is told of a former lease while there is a live one.
      if (!live.has(name)) expect(this.#keeper.getEnded(name)?.ended).toEqual(ended.get(name));
    }
    const files = readdirSync(this.#directory).filter((file) => file.endsWith('updates.lock'));
    expect(files.sort()).toEqual(live.size > 0 ? ['resin-updates.lock', 'updates.lock'] : []);
    for (const file of files) {
      const text = readFileSync(join(this.#directory, file), 'utf8');
      expect(NAMES.filter((name) => text.includes(`(because of ${name})`))).toEqual([...live.keys()].sort());
    }
    expect(this.#keeper.status()).toMatchObject({ flocked: live.size > 0, leases: { length: live.size } });
    expect(this.#keeper.heldSinceMs !== null).toBe(live.size > 0);
    expect(this.#livesByEvents()).toEqual([...live.keys()].sort());
  }

  close(): void {
    for (const name of NAMES) this.#keeper.end(name, 'released');
    this.#keeper.stop(false);
    rmSync(this.#directory, { recursive: true });
  }

  /** Who is live, by the events alone: metrics and streams know no more than those. */
  #livesByEvents(): string[] {
    const live = new Set<string>();
    for (const event of this.events) {
      if (event.type === 'lease-acquired') live.add(event.lease.name);
      if (event.type === 'lease-ended') live.delete(event.lease.name);
    }
    return [...live].sort();
  }

  #open(): Keeper {
    const keeper = new Keeper({
      isFlocked: () => Promise.resolve(null),
      clock: this.#clock,
      timeline: new Timeline(this.#clock),
      emit: (event) => this.events.push(event),
      openStore: () => openStore({ directory: this.#directory, legacyPath: null }, user, { boot: 'boot', nowMs: this.#clock.monotonicMs() }),
      defaultTtlMs: MODEL_LIMITS.defaultTtlMs,
      maxLeases: MODEL_LIMITS.maxLeases,
      restartGraceMs: MODEL_LIMITS.restartGraceMs,
      whereToAsk: 'nobody',
    });
    keeper.addGate(lostCooldown(MODEL_LIMITS.cooldownMs));
    const opened = keeper.open();
    // It would try again by itself, after the test.
    if (opened !== 'open') keeper.close();
    expect(opened).toBe('open');
    return keeper;
  }
}

const name = fc.constantFrom(...NAMES);
const acquire = fc
  .record({ name, ttlMs: fc.option(fc.integer({ min: 1000, max: 10_000 }), { nil: undefined }), only: fc.option(fc.constantFrom('new', 'renewal'), { nil: undefined, freq: 4 }) })
  .map((ask: Ask) => ({ what: `acquire ${JSON.stringify(ask)}`, do: (pair: Pair) => { pair.acquire(ask); } }));
const release = name.map((each) => ({ what: `release ${each}`, do: (pair: Pair) => { pair.release(each); } }));
const advance = fc.nat(4000).map((ms) => ({ what: `advance ${String(ms)}`, do: (pair: Pair) => { pair.advance(ms); } }));
const lose = fc.constantFrom('updates.lock', 'resin-updates.lock').map((file) => ({ what: `lose ${file}`, do: (pair: Pair) => { pair.lose(file); } }));
const restart = fc.nat(6000).map((ms) => ({ what: `restart after ${String(ms)}`, do: (pair: Pair) => { pair.restart(ms); } }));

/** Does these steps on both and compares them after each. */
function agree(steps: readonly { what: string; do: (pair: Pair) => void }[]): void {
  const pair = new Pair();
  try {
    for (const step of steps) {
      step.do(pair);
      pair.check();
    }
  } finally {
    pair.close();
  }
}

const many = { arbitrary: acquire, weight: 8 };

test('in any sequence of requests and time the lock is on disk exactly while a lease is live, and all agrees with the model', () => {
  const step = fc.oneof(many, { arbitrary: release, weight: 3 }, { arbitrary: advance, weight: 4 });
  fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), agree), { numRuns: 40 });
}, 60_000);

test('the same with losses and the cooldown after them', () => {
  const step = fc.oneof(many, { arbitrary: release, weight: 2 }, { arbitrary: advance, weight: 4 }, { arbitrary: lose, weight: 1 });
  fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), agree), { numRuns: 30 });
}, 60_000);

test('the same over restarts: a second keeper finds in the journal what the first one left', () => {
  const step = fc.oneof(many, { arbitrary: release, weight: 2 }, { arbitrary: advance, weight: 3 }, { arbitrary: lose, weight: 1 }, { arbitrary: restart, weight: 2 });
  fc.assert(fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), agree), { numRuns: 8 });
}, 60_000);
