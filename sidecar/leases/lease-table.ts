import { ByName } from './by-name';
import { ExpiryHeap } from './expiry-heap';
import type { Lease } from './lease';

/** The live leases, oldest first, and which of them ends next. Knows nothing of the lock, the disk or the clock. */
export class LeaseTable {
  readonly #byName = new ByName<Lease>();
  readonly #expiry = new ExpiryHeap();

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
    this.#expiry.set(lease.name, lease.endsAtMs);
  }

  delete(name: string): void {
    this.#byName.delete(name);
    this.#expiry.set(name, null);
  }

  /** When the next lease ends, or null if none ends by itself. */
  nextEndMs(): number | null {
    return this.#expiry.peek()?.endsAtMs ?? null;
  }

  /** The lease that ends first, if its end has come. */
  due(nowMs: number): Lease | undefined {
    const next = this.#expiry.peek();
    return next !== undefined && next.endsAtMs <= nowMs ? this.#byName.get(next.name) : undefined;
  }
}
