import { ByName } from './by-name';

interface Entry {
  readonly name: string;
  endsAtMs: number;
  index: number;
}

/** Which lease ends next: a binary heap with a way in by name, so that every change costs O(log n). */
export class ExpiryHeap {
  readonly #heap: Entry[] = [];
  readonly #byName = new ByName<Entry>();

  /** The entry that ends first, or undefined if there is none. */
  peek(): { readonly name: string; readonly endsAtMs: number } | undefined {
    return this.#heap[0];
  }

  /** Adds the name, or moves it to another end; null takes it out. */
  set(name: string, endsAtMs: number | null): void {
    const entry = this.#byName.get(name);
    if (endsAtMs === null) {
      if (entry !== undefined) this.#remove(entry);
    } else if (entry === undefined) {
      const added = { name, endsAtMs, index: this.#heap.length };
      this.#heap.push(added);
      this.#byName.set(name, added);
      this.#up(added);
    } else {
      entry.endsAtMs = endsAtMs;
      this.#up(entry);
      this.#down(entry);
    }
  }

  #remove(entry: Entry): void {
    this.#byName.delete(entry.name);
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#place(last, entry.index);
    this.#up(last);
    this.#down(last);
  }

  #place(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }

  #up(entry: Entry): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1];
      if (parent === undefined || parent.endsAtMs <= entry.endsAtMs) return;
      this.#swap(parent, entry);
    }
  }

  #down(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.index + 1];
      const right = this.#heap[2 * entry.index + 2];
      const child = right !== undefined && left !== undefined && right.endsAtMs < left.endsAtMs ? right : left;
      if (child === undefined || child.endsAtMs >= entry.endsAtMs) return;
      this.#swap(entry, child);
    }
  }

  #swap(parent: Entry, child: Entry): void {
    const { index } = parent;
    this.#place(parent, child.index);
    this.#place(child, index);
  }
}
