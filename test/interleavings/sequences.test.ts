import './imitations';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { newSeed } from '../support/random';
import type { SmallDisk } from '../support/small-disk';
import { actionNamed } from './actions';
import { Device } from './device';
import { withDisk } from './enumerate';
import { KeeperModel, type Ask, type Others } from './keeper-model';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const RUNS = Number(process.env['SEQUENCES'] ?? 10_000);
const SEED = newSeed();

/** A device and the model of its sidecar side by side. */
class Pair {
  readonly device: Device;
  readonly model: KeeperModel;

  constructor(disk: SmallDisk) {
    this.device = new Device(disk, false);
    this.model = new KeeperModel(this.device.nowMs);
    this.device.start();
  }

  acquire(ask: Ask): void {
    agree(this.device.acquire(ask.name, ask)?.code ?? null, this.model.acquire(ask));
  }

  release(name: string): void {
    this.device.release(name);
    this.model.release(name);
  }

  advance(ms: number): void {
    this.device.advance(ms);
    this.device.tick();
    this.model.advance(ms);
  }

  /** Somebody does something, and has room for that; the kernel tells the sidecar. */
  others(name: string, model: (model: KeeperModel) => void): void {
    this.makeRoom();
    actionNamed(name).act(this.device, null);
    model(this.model);
    this.device.look();
  }

  restart(crash: (device: Device) => void): void {
    crash(this.device);
    this.device.start();
    this.model.restart();
  }

  /** Dies at some file operation of a request, which nobody knows then whether it was carried out. */
  dieIn(request: (pair: Device) => void, at: number, name: string): void {
    const dieAt = this.device.operations + at;
    this.device.stepIn = () => {
      if (this.device.operations > dieAt) this.device.crash();
      return undefined;
    };
    request(this.device);
    this.device.stepIn = () => undefined;
    this.device.crash();
    this.device.start();
    const found = this.device.found(name);
    const known = this.model.live.get(name);
    if (found.live === undefined) this.model.release(name);
    else if (known === undefined || found.live.renewals > known.renewals) this.model.acquire({ name });
    this.model.restart();
    if (found.live === undefined && found.ended !== undefined) this.model.ended.set(name, found.ended.ended);
  }

  fill(): void {
    this.device.disk.fill();
    this.model.isDiskFull = true;
  }

  makeRoom(): void {
    this.device.disk.makeRoom();
    this.model.isDiskFull = false;
  }

  /** Everything that can be seen of the keeper, by asking it and by looking at the files. */
  check(): void {
    const { live, ended } = this.model;
    const { observer } = this.device;
    const found = this.device.leases();
    const files = observer.ourNames();
    const text = files[0] === undefined ? '' : readFileSync(files[0], 'utf8');
    agree({
      leases: found.map(({ name, sinceMs, ttlMs, endsAtMs, renewals }) => [name, { sinceMs, ttlMs, endsAtMs, renewals }]).sort(),
      ended: NAMES.map((name) => (live.has(name) ? undefined : this.device.found(name).ended?.ended)),
      isInOrder: found.every(({ sinceMs }, index) => sinceMs >= (found[index - 1]?.sinceMs ?? 0)),
      files: files.length,
      described: NAMES.filter((name) => text.includes(`(because of ${name})`)),
    }, {
      leases: [...live].sort(),
      ended: NAMES.map((name) => (live.has(name) ? undefined : ended.get(name))),
      isInOrder: true,
      files: live.size > 0 ? 2 : 0,
      described: [...live.keys()].sort(),
    });
    observer.lookAtOthers();
    agree(observer.violations, []);
    // Each file that is removed makes a little room.
    if (this.model.isDiskFull) this.device.disk.fill();
  }
}

/** Jest takes longer for a comparison than everything else here, so it is only asked to show a difference. */
function agree(seen: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(seen, expected)) expect(seen).toEqual(expected);
}

interface Step {
  readonly what: string;
  readonly take: (pair: Pair) => void;
}

function step(what: string, take: (pair: Pair) => void): fc.Arbitrary<Step> {
  return fc.constant({ what, take });
}

function others(what: string, change: (model: KeeperModel) => void): fc.Arbitrary<Step> {
  return step(what, (pair) => { pair.others(what, change); });
}

const put = (index: number, other: Others) => (model: KeeperModel): void => {
  if (model.isFree(index)) model.change(index, other);
};
const putOver = (index: number, other: Others | null) => (model: KeeperModel): void => { model.change(index, other); };

const name = fc.constantFrom(...NAMES);
const acquire = fc
  .record({ name, ttlMs: fc.option(fc.integer({ min: 1000, max: 100_000 }), { nil: undefined }), only: fc.option(fc.constantFrom('new', 'renewal'), { nil: undefined, freq: 4 }) })
  .map((ask): Step => ({ what: `acquire ${JSON.stringify(ask)}`, take: (pair) => { pair.acquire(ask); } }));
const release = name.map((each): Step => ({ what: `release ${each}`, take: (pair) => { pair.release(each); } }));
const advance = fc.nat(40_000).map((ms): Step => ({ what: `advance ${String(ms)}`, take: (pair) => { pair.advance(ms); } }));
const interrupted = fc.tuple(name, fc.nat(12), fc.boolean()).map(([each, at, isRelease]): Step => ({
  what: `${isRelease ? 'release' : 'acquire'} ${each}, and die at ${String(at)}`,
  take: (pair) => { pair.dieIn((device) => { if (isRelease) device.release(each); else device.acquire(each); }, at, each); },
}));
const steps = fc.oneof(
  { weight: 10, arbitrary: acquire },
  { weight: 4, arbitrary: release },
  { weight: 4, arbitrary: advance },
  { weight: 1, arbitrary: interrupted },
  { weight: 1, arbitrary: step('crash', (pair) => { pair.restart((device) => { device.crash(); }); }) },
  { weight: 1, arbitrary: step('crash with the container', (pair) => { pair.restart((device) => { device.crashWithContainer(); }); }) },
  { weight: 1, arbitrary: step('stop', (pair) => { pair.restart((device) => { device.stop(false); }); }) },
  {
    weight: 1,
    arbitrary: step('reboot', (pair) => {
      pair.model.reboot();
      pair.restart((device) => { device.reboot(true); });
    }),
  },
  { weight: 1, arbitrary: others('the Supervisor tries', (model) => { if (model.isFree(0) && model.isFree(1)) model.others.fill('updating'); }) },
  { weight: 1, arbitrary: others('the Supervisor forces', (model) => { putOver(0, 'updating')(model); putOver(1, 'updating')(model); }) },
  { weight: 1, arbitrary: others('Helios forces', putOver(0, 'updating')) },
  { weight: 1, arbitrary: others('somebody makes a file at resin-updates.lock', put(1, 'foreign-lock')) },
  { weight: 1, arbitrary: others('somebody replaces updates.lock by a folder', putOver(0, 'foreign-lock')) },
  { weight: 3, arbitrary: others('somebody removes updates.lock', putOver(0, null)) },
  { weight: 3, arbitrary: others('somebody removes resin-updates.lock', putOver(1, null)) },
  { weight: 1, arbitrary: step('the disk fills', (pair) => { pair.fill(); }) },
  { weight: 2, arbitrary: step('there is room', (pair) => { pair.makeRoom(); }) },
);

test(`${String(RUNS)} random sequences (seed ${String(SEED)}) of requests, time, crashes and what others do agree with the model`, () => {
  withDisk((disk) => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 16, size: 'max' }), (sequence) => {
        const pair = new Pair(disk);
        try {
          for (const { take } of sequence) {
            take(pair);
            pair.check();
          }
        } finally {
          pair.device.remove();
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });
}, 3_600_000);
