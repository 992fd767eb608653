/** When a holder lets go as things are: "until the window opens at 22:00", "until the next answer of jenkins at the earliest". */
export interface LeaseEnd {
  /** By the wall clock, in milliseconds of the Unix epoch; null if that is not known. */
  readonly atWallMs: number | null;
  /** What happens then: "the window opens". */
  readonly event: string;
  /** Nothing but a person makes it happen. */
  readonly isUpToPeople?: true;
}

/** How the rest of the sidecar treats the leases of one holder. */
export interface LeasePolicy {
  /** Whether the leases stay when an update has waited long enough and the others are drained. */
  readonly survivesDrain: boolean;
  /** What a live lease does to the time that an update may wait: it counts, it stands still, or it is as if the lease were not there. */
  readonly deadline: 'counts' | 'pauses' | 'ignored';
  /** When the holder lets go as things are; null if nothing is known of it. */
  readonly end: () => LeaseEnd | null;
}

/** Apps must let go in the end: an update waits for them no longer than the deadline. */
const APP_POLICY: LeasePolicy = { survivesDrain: false, deadline: 'counts', end: () => null };

/** The policies of the sidecar's own holders, by the names of their leases. Every other lease is an app's. */
export class LeasePolicies {
  readonly #byName = new Map<string, LeasePolicy>();

  register(leaseName: string, policy: Partial<LeasePolicy>): void {
    this.#byName.set(leaseName, { ...APP_POLICY, ...policy });
  }

  of(leaseName: string): LeasePolicy {
    return this.#byName.get(leaseName) ?? APP_POLICY;
  }

  /** Whether a holder of this process has that lease; if not, it is an app's, or that of a holder that is not configured any more. */
  isRegistered(leaseName: string): boolean {
    return this.#byName.has(leaseName);
  }
}
