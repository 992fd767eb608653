/** A mistake in a setting, and where: the first column is 1. */
export interface Mistake {
  readonly column: number;
  /** What stands there; empty at the end of an item. */
  readonly found: string;
  readonly allowed: string;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly mistakes: readonly Mistake[] };

export interface Token {
  readonly text: string;
  readonly column: number;
}

/** The words and signs of one item, in order; at its end an empty one, again and again. */
export class ItemReader {
  readonly #tokens: Token[];
  #position = 0;

  constructor(
    text: string,
    column: number,
    pattern: RegExp,
    private readonly mistakes: Mistake[],
  ) {
    this.#tokens = Array.from(text.matchAll(pattern), (match) => ({ text: match[0], column: column + match.index }));
    this.#tokens.push({ text: '', column: column + text.trimEnd().length });
  }

  get next(): Token {
    return this.#tokens[this.#position] ?? { text: '', column: 0 };
  }

  take(): Token {
    const token = this.next;
    if (token.text !== '') this.#position += 1;
    return token;
  }

  /** Takes the next one if it is this. */
  skip(text: string): boolean {
    if (this.next.text !== text) return false;
    this.take();
    return true;
  }

  refuse({ text, column }: Token, allowed: string): null {
    this.mistakes.push({ column, found: text, allowed });
    return null;
  }
}

/**
 * Reads items separated by `;`, one after the last allowed, each to its end, so that all mistakes show at once. An item
 * that is wrong says so to its reader; what it returns then does not matter.
 */
export function readList<T>(text: string, tokens: RegExp, readItem: (reader: ItemReader) => T | null): Parsed<readonly T[]> {
  const mistakes: Mistake[] = [];
  const value: T[] = [];
  const items = text.split(';');
  if (items.length > 1 && items.at(-1)?.trim() === '') items.pop();
  let column = 1;
  for (const item of items) {
    const read = readItem(new ItemReader(item, column, tokens, mistakes));
    if (read !== null) value.push(read);
    column += item.length + 1;
  }
  return mistakes.length === 0 ? { ok: true, value } : { ok: false, mistakes };
}

/** All mistakes in one line, to come after the name and the value of the setting. */
export function describeMistakes(mistakes: readonly Mistake[]): string {
  const places = mistakes.map(({ column, found, allowed }) => {
    const what = found === '' ? 'where it ends' : JSON.stringify(found);
    return `column ${String(column)}, ${what}: ${allowed}`;
  });
  return `is wrong at ${places.join('; at ')}`;
}
