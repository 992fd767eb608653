/**
 * What was promised and what was seen in one run. All times are milliseconds of the machine's monotonic clock, which its processes share. Each is taken on the side
 * that makes a promise shorter and a sight longer, so that no delay in the observers looks like a fault of the sidecar.
 */
export interface History {
  readonly leases: readonly AcknowledgedLease[];
  readonly forces: readonly Force[];
  readonly sights: readonly Sight[];
}

/** A lease that a client was told it has. */
export interface AcknowledgedLease {
  /** No other lease of the run has it. */
  readonly name: string;
  /** When the client began to ask. */
  readonly askedMs: number;
  /** When it had the answer. */
  readonly fromMs: number;
  /** Until when it may rely on the lease, unless an update is forced: until it lets go, is killed, or the time to live has passed since it asked. */
  untilMs: number;
}

/** An update was forced: from the moment before the first file was removed until the moment after the last one was taken. */
export interface Force {
  readonly fromMs: number;
  readonly toMs: number;
}

export type Sight = { readonly fromMs: number; readonly toMs: number } & (
  | { /** At some instant in that time the lock was not there. */ readonly kind: 'passed'; readonly by: string }
  | { /** All that time somebody else had the lock. */ readonly kind: 'taken'; readonly by: string }
  | { /** At some instant in that time the lease had ended, by the word of the sidecar. */ readonly kind: 'ended'; readonly name: string }
  | { /** At some instant in that time it was live, by the word of the sidecar. */ readonly kind: 'live'; readonly name: string }
  | { /** At that instant an update began to be forced that did not get the lock, although it had tried before the cooldown was over. */ readonly kind: 'not-forced' }
  | { /** At some instant in that time these and no others were live, by the word of the sidecar. */ readonly kind: 'listed'; readonly names: ReadonlySet<string> }
);

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Writes the history while it happens. */
export class HistoryWriter implements History {
  readonly leases: AcknowledgedLease[] = [];
  readonly forces: Force[] = [];
  readonly sights: Sight[] = [];

  /** A client has just been told that it has a lease. */
  acknowledged(name: string, askedMs: number, untilMs: number): AcknowledgedLease {
    const lease = { name, askedMs, fromMs: monotonicMs(), untilMs };
    this.leases.push(lease);
    return lease;
  }

  forced(force: Force): void {
    this.forces.push(force);
  }

  saw(sight: Sight): void {
    this.sights.push(sight);
  }
}
