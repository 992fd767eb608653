import type { Lease } from '../leases/lease';

/** How many names have a series of their own: names are the apps' to choose, and every one costs Prometheus memory. */
const MAX_NAMES = 32;

const OTHER = 'other';

/** The lease names with a series of their own: those seen first; one that is not live makes room for a new one. */
export class LeaseNameSeries {
  readonly #names = new Set<string>();
  #live: ReadonlySet<string> = new Set();

  /** From now on a name that has been live has a series, also at 0. */
  add(name: string): void {
    if (this.#names.has(name)) return;
    if (this.#names.size >= MAX_NAMES) {
      for (const shown of this.#names) {
        if (this.#live.has(shown)) continue;
        this.#names.delete(shown);
        break;
      }
    }
    if (this.#names.size < MAX_NAMES) this.#names.add(name);
  }

  /** The value of every series: 1 while a lease of that name is live; for the others, how many are. */
  read(leases: readonly Lease[]): Map<string, number> {
    this.#live = new Set(leases.map(({ name }) => name));
    for (const name of this.#live) this.add(name);
    const values = new Map([[OTHER, 0], ...[...this.#names].map((name): [string, number] => [name, 0])]);
    for (const name of this.#live) {
      const series = this.#names.has(name) ? name : OTHER;
      values.set(series, (values.get(series) ?? 0) + 1);
    }
    return values;
  }
}
