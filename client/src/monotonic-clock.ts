/** Milliseconds by a clock that nobody sets. What `performance.now()` needs would have to be loaded first. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
