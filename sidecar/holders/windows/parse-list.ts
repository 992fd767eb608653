export type ParsedList<T> = { readonly ok: true; readonly value: readonly T[] } | { readonly ok: false; readonly wrongItems: readonly string[] };

/**
 * Reads items separated by `;`, of which there may be one after the last. All wrong items are reported together.
 * @param readItem returns null for an item that is wrong; it gets no spaces around the item
 */
export function parseList<T>(text: string, readItem: (item: string) => T | null): ParsedList<T> {
  const items = text.split(';').map((item) => item.trim());
  if (items.length > 1 && items.at(-1) === '') items.pop();
  const read = items.map((item) => ({ item, value: readItem(item) }));
  const wrongItems = read.filter(({ value }) => value === null).map(({ item }) => item);
  if (wrongItems.length > 0) return { ok: false, wrongItems };
  return { ok: true, value: read.flatMap(({ value }) => (value === null ? [] : [value])) };
}
