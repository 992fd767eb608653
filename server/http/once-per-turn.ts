/**
 * Makes a value once for all requests in the same turn of the event loop. An answer that many clients ask for at once is then made
 * once, and is in memory once.
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
