/**
 * Tests that try what nobody has thought of. Each run has another seed, which is in the tests' names: `FUZZ_SEED` repeats a run, and
 * `FUZZ_RUNS` multiplies how much is tried.
 */
export const FUZZ_SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const FACTOR = Number(process.env['FUZZ_RUNS'] ?? 1);

/** How many tries, where a run of the whole suite has so many. */
export const fuzzRuns = (usual: number): number => Math.ceil(usual * FACTOR);

/** How long a test may take, in milliseconds. */
export const fuzzTimeoutMs = (usualMs: number): number => usualMs * Math.max(1, FACTOR);
