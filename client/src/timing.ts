/** Time limits, in milliseconds; injected so that tests can use shorter ones. */
export interface Timing {
  /** How often the sidecar sends something on a stream. A stream that is silent for more than twice as long is dead. */
  readonly heartbeatMs: number;
  /** How long a hold tries to reach its sidecar again: the sidecar's default restart grace. */
  readonly recoveryMs: number;
  /** How long connecting may take, including the look-up of the address. */
  readonly connectMs: number;
  /** How long an answer may take, beyond the wait that was asked for. */
  readonly answerMs: number;
  /** How long a request without `wait` tries to reach a sidecar that is restarting. */
  readonly patienceMs: number;
  /** How long a release may take to be confirmed. */
  readonly releaseMs: number;
  /** The first pause between two attempts, and the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export const TIMING: Timing = {
  heartbeatMs: 15_000,
  recoveryMs: 30_000,
  connectMs: 5000,
  answerMs: 10_000,
  patienceMs: 1000,
  releaseMs: 5000,
  firstPauseMs: 50,
  longestPauseMs: 2000,
};

/** Milliseconds of a monotonic clock. `performance.now()` is the same, and costs `update-lock run` 1 ms for loading. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
