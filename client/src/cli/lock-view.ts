import type { Lease, LockEvent, LockStatus, LockSummary, Update } from '../types';

/** What is known of the lock from the events so far. */
export class LockView {
  #lock: LockSummary | null = null;
  #update: Update | null = null;
  readonly #leases = new Map<string, Lease>();

  apply(event: LockEvent): void {
    switch (event.type) {
      case 'lock':
        // The sidecar has begun anew: it tells every lease that there is, so the others are none.
        if (event.data.snapshot) this.#leases.clear();
        this.#lock = event.data;
        break;
      case 'lease':
        if ('ended' in event.data) this.#leases.delete(event.data.name);
        else this.#leases.set(event.data.name, event.data);
        break;
      case 'update':
        this.#update = event.data;
        break;
    }
  }

  /** Null before the first event. Leases oldest first. */
  get status(): LockStatus | null {
    if (this.#lock === null) return null;
    const leases = [...this.#leases.values()].sort((a, b) => Date.parse(a.since) - Date.parse(b.since));
    return { ...this.#lock, leases, update: this.#update };
  }
}
