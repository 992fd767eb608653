import type { EndedLeaseView, LeaseView, LockEventView, UpdateView } from '../http/schemas';
import { WAITING_THINGS } from '../leases/waiting';

export type Lease = LeaseView;
export type EndedLease = EndedLeaseView;
export type Update = UpdateView;
export type Lock = LockEventView;

/** What waits for the lock, in a few words; an empty text if nothing does. */
export function thingsWaiting({ waiting }: Update): string {
  return waiting.map((what) => WAITING_THINGS[what].noun).join(' and ');
}

export function isUpdating({ state }: Lock): boolean {
  return state === 'updating';
}

/** The messages of `GET /v1/events`. */
export type Message =
  | { readonly event: 'lock'; readonly data: Lock }
  | { readonly event: 'lease'; readonly data: Lease | EndedLease }
  | { readonly event: 'update'; readonly data: Update };

/** What the sidecar has sent so far. Times are by the device's clock. */
export class Known {
  lock: Lock | null = null;
  update: Update | null = null;
  /** Live leases, oldest first. */
  readonly leases = new Map<string, Lease>();
  /** The present state is arriving, part by part. */
  #isSnapshot = false;

  /** Whether the whole present state has arrived. */
  get isComplete(): boolean {
    return this.lock !== null && !this.#isSnapshot;
  }

  /**
   * When a lease ends as things are; null if that is not known. The lease that holds the lock outside of windows ends when one opens, and
   * that of an override with the override.
   */
  endOf({ name, expires }: Lease): string | null {
    const ownEnd = name === '@window' ? this.lock?.window?.opens : name === '@override' ? this.lock?.override?.until : null;
    return expires ?? ownEnd ?? null;
  }

  /** When the last lease ends as things are; null if the end of one is not known, or there are none. */
  get end(): string | null {
    const ends = [...this.leases.values()].map((lease) => this.endOf(lease));
    return ends.includes(null) ? null : (ends.sort().at(-1) ?? null);
  }

  take(message: Message): void {
    switch (message.event) {
      case 'lock':
        this.#takeLock(message.data);
        return;
      case 'lease':
        if ('ended' in message.data) this.leases.delete(message.data.name);
        else this.leases.set(message.data.name, message.data);
        return;
      case 'update':
        this.update = message.data;
        this.#isSnapshot = false;
    }
  }

  #takeLock(lock: Lock): void {
    if (lock.snapshot) {
      // The sidecar has restarted, or events were missed: the former state is no longer true.
      this.#isSnapshot = true;
      this.leases.clear();
      this.update = null;
    }
    this.lock = lock;
  }
}
