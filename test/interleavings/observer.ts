import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Kernel } from './kernel';
import type { OthersFiles } from './others-files';

/** A lease as its holder knows it. */
export interface Acknowledged {
  readonly id: string;
  readonly name: string;
  readonly endsAtMs: number;
}

/** What the observer is told by the case; everything else it sees for itself. */
export interface Circumstances {
  readonly kernel: Kernel;
  readonly others: OthersFiles;
  /** The paths of the lock, of the lock directory first. */
  readonly names: readonly string[];
  /** The leases whose holders have an answer that says so, and none that says otherwise. */
  readonly acknowledged: ReadonlyMap<string, Acknowledged>;
  /** The names of the requests that have no answer: their leases may be live or not. */
  readonly uncertain: ReadonlySet<string>;
  readonly nowMs: number;
  /** Somebody has taken a name of the lock away while a lease was live. */
  readonly isTaken: boolean;
  /** All processes of the container have died, and there is no new sidecar yet; or another program has the flock. */
  readonly isFlockGone: boolean;
  /** Somebody has removed or replaced the journal, and nothing was written since. */
  readonly isJournalGone: boolean;
}

/** Checks the laws of the lock by the files, the flocks and the answers alone; knows nothing of keeper, lock and journal. */
export class Observer {
  readonly violations: string[] = [];

  constructor(private readonly now: Circumstances) {}

  violated(law: number, what: string): void {
    this.violations.push(`law ${String(law)}: ${what}`);
  }

  /** At every moment: the lock is on disk and flocked while a lease is live. */
  lookAtLock(): void {
    if (this.now.isTaken || this.live().every(({ name }) => this.now.uncertain.has(name))) return;
    for (const path of this.now.names) {
      const stats = statsOf(path);
      if (stats === undefined || !this.#isOurs(stats)) this.violated(1, `a lease is live, and ${path} is not ours`);
      else if (!this.now.isFlockGone && !this.now.kernel.isFlocked(stats)) this.violated(1, `a lease is live, and ${path} is not flocked`);
    }
  }

  /** The host OS tries: what is at a name, and ours, must hold it back. */
  lookAtFlock(): void {
    for (const path of this.ourNames()) {
      const stats = statsOf(path);
      if (stats !== undefined && !this.now.isFlockGone && !this.now.kernel.isFlocked(stats)) this.violated(1, `${path} does not hold back the host`);
    }
  }

  /** When an answer has come that says that a lease is live: no other process has the flock. */
  lookForAnother(): void {
    for (const path of this.ourNames()) {
      const stats = statsOf(path);
      if (stats !== undefined && this.now.kernel.isAnothers(stats)) this.violated(6, `a lease was granted, and another process has the flock of ${path}`);
    }
  }

  /** When an answer has come: the journal says that the lease is live. */
  lookAtJournal({ id }: Acknowledged): void {
    if (this.now.isJournalGone) return;
    const lines = readFileSync(join(dirname(this.now.names[0] ?? ''), '.update-lock/journal'), 'utf8').split('\n');
    const lease = lines.findLast((line) => line.includes(`"id":"${id}"`));
    if (lease === undefined || lease.includes('"ended":')) this.violated(2, `an answer says that a lease is live, and the journal does not`);
  }

  /** At every moment: what others have made is as they have left it. */
  lookAtOthers(): void {
    for (const path of this.now.others.harmed()) this.violated(3, `${path} was changed or removed`);
  }

  /** No lease is live, so no name is ours. */
  expectFree(law: number): void {
    for (const path of this.ourNames()) this.violated(law, `no lease is live, and ${path} is on disk`);
  }

  /** The leases of which the sidecar says that they are live, when nothing is going on. */
  expectLive(law: number, said: readonly Pick<Acknowledged, 'id' | 'name'>[]): void {
    const missing = this.live().filter(({ id }) => !said.some((lease) => lease.id === id));
    const added = said.filter(({ name, id }) => this.now.acknowledged.get(name)?.id !== id);
    for (const { name } of missing) this.violated(law, `the lease ${name} was acknowledged, and is not live`);
    for (const { name } of added) this.violated(law, `the lease ${name} is live, and was not acknowledged, or has ended`);
  }

  ourNames(): string[] {
    return this.now.names.filter((path) => {
      const stats = statsOf(path);
      return stats !== undefined && this.#isOurs(stats);
    });
  }

  live(): Acknowledged[] {
    return [...this.now.acknowledged.values()].filter(({ endsAtMs }) => endsAtMs > this.now.nowMs);
  }

  #isOurs(stats: Stats): boolean {
    return stats.isFile() && !this.now.others.has(stats);
  }
}

function statsOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
