import type { EndedLease } from './lease';

/** How long an ended lease is remembered, in milliseconds. */
export const TOMBSTONE_MS = 3_600_000;

/** How many ended leases are remembered; the oldest make room. */
export const MAX_TOMBSTONES = 256;

/** The leases that have ended within the last hour, so that a holder that asks late is told how its lease has ended. */
export class Tombstones {
  readonly #byName = new Map<string, EndedLease>();

  add(ended: EndedLease): void {
    // Deleting first keeps them in the order of the ends, and so the first one the oldest.
    this.#byName.delete(ended.name);
    this.#byName.set(ended.name, ended);
    const [oldest] = this.#byName.keys();
    if (this.#byName.size > MAX_TOMBSTONES && oldest !== undefined) this.#byName.delete(oldest);
  }

  get(name: string, nowMs: number): EndedLease | undefined {
    const ended = this.#byName.get(name);
    return ended !== undefined && nowMs - ended.ended.atMs <= TOMBSTONE_MS ? ended : undefined;
  }
}
