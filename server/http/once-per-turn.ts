/**
 * Makes something once for all who ask in one turn of the event loop: they have asked at the same time, and get the same. So what
 * many ask for at once is made, and in memory, once.
 */
export function oncePerTurn<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    if (made === null) {
      made = { value: make() };
      setImmediate(() => { made = null; });
    }
    return made.value;
  };
}
