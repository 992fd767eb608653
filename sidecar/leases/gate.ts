import type { Refusal } from './refusal-codes';

/** What a gate may look at. Times are milliseconds of the monotonic clock. */
export interface GateContext {
  readonly nowMs: number;
  /** The name of the lease that would be granted or renewed; null for the lease of any app. */
  readonly name: string | null;
  /** When the lock was last lost in this boot, null for never. */
  readonly lostAtMs: number | null;
}

export interface GateRefusal {
  readonly code: 'updating' | 'cooldown' | 'draining';
  readonly detail: string;
  /** When the gate opens; null if that is not known. */
  readonly opensAtMs: number | null;
}

/** A reason to refuse a lease, new or renewed; null while there is none. */
export type Gate = (context: GateContext) => GateRefusal | null;

/** The refusal of the first gate that is closed, null if all are open. */
export function closedGate(gates: readonly Gate[], context: GateContext): Refusal | null {
  for (const gate of gates) {
    const refusal = gate(context);
    if (refusal === null) continue;
    const { code, detail, opensAtMs } = refusal;
    return { code, detail, ...(opensAtMs === null ? {} : { retryAfterMs: opensAtMs - context.nowMs }) };
  }
  return null;
}
