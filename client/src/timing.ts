/** How long things may take, in milliseconds; a value of its own so that tests can be in a hurry. */
export interface Timing {
  /** How often the sidecar says something on a stream. A stream that is silent for more than two of these is dead. */
  readonly heartbeatMs: number;
  /** How long a hold looks for its sidecar again after losing it: the sidecar's restart grace, unless that was changed. */
  readonly recoveryMs: number;
  /** How long connecting may take, finding the address included. */
  readonly connectMs: number;
  /** How long an answer may take, beyond what was asked to be waited for. */
  readonly answerMs: number;
  /** For how long requests that are not told how long to wait try to reach a sidecar that is just restarting. */
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

/** Milliseconds by a clock that nobody sets. `performance.now()` is the same, and costs `update-lock run` 1 ms for loading. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
