import type { EndedLease, Lease } from '../leases/lease';
import { MAX_TOMBSTONES } from '../leases/tombstones';
import { isEnded } from './record';

/** A lease, and the line in which it stands. */
export interface PlacedLease {
  readonly slot: number;
  readonly lease: Lease | EndedLease;
}

/** Which line of the journal each lease has. Line 0 is the header's. */
export class Slots {
  readonly #live = new Map<string, number>();
  /**
   * The lines of ended leases by name, the oldest end first: still of use to a holder that asks late, and the first to be used
   * again. A lease gets the line of the one of the same name before it.
   */
  readonly #ended = new Map<string, number>();
  readonly #free: number[] = [];
  #count = 1;

  /** Those of a journal that has these leases, each name once, and nothing else of use. */
  static of(leases: readonly PlacedLease[]): Slots {
    const slots = new Slots();
    slots.#count = 1 + leases.reduce((last, { slot }) => Math.max(last, slot), 0);
    const used = new Set(leases.map(({ slot }) => slot));
    for (let slot = 1; slot < slots.#count; slot += 1) if (!used.has(slot)) slots.#free.push(slot);
    for (const { slot, lease } of leases) if (!isEnded(lease)) slots.#live.set(lease.name, slot);
    const ended = leases.flatMap(({ slot, lease }) => (isEnded(lease) ? [{ slot, lease }] : []));
    for (const { slot, lease } of ended.sort((a, b) => a.lease.ended.atMs - b.lease.ended.atMs)) slots.#ended.set(lease.name, slot);
    return slots;
  }

  /** How many lines there are, the header's included. */
  get count(): number {
    return this.#count;
  }

  /** The lines that are not in use. */
  get free(): readonly number[] {
    return this.#free;
  }

  /** Where a lease of that name is, live or ended. */
  slotOf(name: string): number | undefined {
    return this.#live.get(name) ?? this.#ended.get(name);
  }

  /** A slot for a name that has none. */
  allocate(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const [oldest] = this.#ended;
    if (this.#ended.size >= MAX_TOMBSTONES && oldest !== undefined) {
      const [name, slot] = oldest;
      this.#ended.delete(name);
      return slot;
    }
    this.#count += 1;
    return this.#count - 1;
  }

  /** Takes back a slot that was allocated in vain. */
  giveBack(slot: number): void {
    this.#free.push(slot);
  }

  setLive(name: string, slot: number): void {
    this.#ended.delete(name);
    this.#live.set(name, slot);
  }

  /** Returns the slot of the lease; undefined if none of that name is live. */
  setEnded(name: string): number | undefined {
    const slot = this.#live.get(name);
    if (slot === undefined) return undefined;
    this.#live.delete(name);
    this.#ended.set(name, slot);
    return slot;
  }
}
