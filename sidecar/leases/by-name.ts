interface Entry<V> {
  readonly name: string;
  /** Undefined while the entry is vacant. */
  value: V | undefined;
  before: Entry<V> | undefined;
  after: Entry<V> | undefined;
}

/** So many names of former entries are kept at least before they are cleared away. */
const MAX_VACANT = 64;

/**
 * Values by name, in the order in which their names were added. A `Map` would do the same, but one that is emptied and
 * filled again and again gets a new table each time, and the old table points to the new one: once the first of them has
 * grown old, all that follow are kept until the whole heap is collected, which for a heap as small as ours is never. So
 * here nothing is taken out of the map; from time to time there is a new one without what is vacant.
 */
export class ByName<V extends object | number> {
  #entries = new Map<string, Entry<V>>();
  #oldest: Entry<V> | undefined;
  #youngest: Entry<V> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The name that was added first, undefined if there is none. */
  get oldestName(): string | undefined {
    return this.#oldest?.name;
  }

  get(name: string): V | undefined {
    return this.#entries.get(name)?.value;
  }

  /** Adds a value, or replaces the one of that name in its place. */
  set(name: string, value: V): void {
    const entry = this.#entries.get(name) ?? this.#addVacant(name);
    if (entry.value === undefined) {
      entry.before = this.#youngest;
      if (this.#youngest === undefined) this.#oldest = entry;
      else this.#youngest.after = entry;
      this.#youngest = entry;
      this.#size += 1;
    }
    entry.value = value;
  }

  delete(name: string): void {
    const entry = this.#entries.get(name);
    if (entry?.value === undefined) return;
    const { before, after } = entry;
    if (before === undefined) this.#oldest = after;
    else before.after = after;
    if (after === undefined) this.#youngest = before;
    else after.before = before;
    entry.value = entry.before = entry.after = undefined;
    this.#size -= 1;
    if (this.#entries.size > 2 * this.#size + MAX_VACANT) this.#clearAway();
  }

  clear(): void {
    this.#entries = new Map();
    this.#oldest = this.#youngest = undefined;
    this.#size = 0;
  }

  /** Every value, the one whose name was added first before the others. */
  *values(): IterableIterator<V> {
    for (let entry = this.#oldest; entry?.value !== undefined; entry = entry.after) yield entry.value;
  }

  #addVacant(name: string): Entry<V> {
    const entry: Entry<V> = { name, value: undefined, before: undefined, after: undefined };
    this.#entries.set(name, entry);
    return entry;
  }

  #clearAway(): void {
    this.#entries = new Map([...this.#entries].filter(([, { value }]) => value !== undefined));
  }
}
