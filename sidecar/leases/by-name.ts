interface Entry<V> {
  readonly name: string;
  value: V;
  before: Entry<V> | null;
  after: Entry<V> | null;
}

/**
 * Values by name, in the order in which their names were added. A `Map` would do the same, but one that is emptied and
 * filled again and again gets a new table each time, and the old table points to the new one: once the first of them has
 * grown old, all that follow are kept until the whole heap is collected, which for a heap as small as ours is never.
 */
export class ByName<V> {
  readonly #entries = Object.create(null) as Record<string, Entry<V> | undefined>;
  #oldest: Entry<V> | null = null;
  #youngest: Entry<V> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The name that was added first, undefined if there is none. */
  get oldestName(): string | undefined {
    return this.#oldest?.name;
  }

  get(name: string): V | undefined {
    return this.#entries[name]?.value;
  }

  /** Adds a value, or replaces the one of that name in its place. */
  set(name: string, value: V): void {
    const known = this.#entries[name];
    if (known !== undefined) {
      known.value = value;
      return;
    }
    const entry: Entry<V> = { name, value, before: this.#youngest, after: null };
    if (this.#youngest === null) this.#oldest = entry;
    else this.#youngest.after = entry;
    this.#youngest = entry;
    this.#entries[name] = entry;
    this.#size += 1;
  }

  delete(name: string): void {
    const entry = this.#entries[name];
    if (entry === undefined) return;
    const { before, after } = entry;
    if (before === null) this.#oldest = after;
    else before.after = after;
    if (after === null) this.#youngest = before;
    else after.before = before;
    // Or this one would keep the others alive, as the tables of a Map do.
    entry.before = entry.after = null;
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- an object without a prototype, made to be a table
    delete this.#entries[name];
    this.#size -= 1;
  }

  clear(): void {
    while (this.#oldest !== null) this.delete(this.#oldest.name);
  }

  /** Every value, the one whose name was added first before the others. */
  *values(): IterableIterator<V> {
    for (let entry = this.#oldest; entry !== null; entry = entry.after) yield entry.value;
  }
}
