import type { EndedLeaseView, LeaseView, LockEventView, UpdateView } from '../http/schemas';

export type Lease = LeaseView;
export type EndedLease = EndedLeaseView;
export type Update = UpdateView;
export type Lock = LockEventView;

export function isUpdating({ state }: Lock): boolean {
  return state === 'updating';
}

/** The messages of `GET /v1/events`. */
export type Message =
  | { readonly event: 'lock'; readonly data: Lock }
  | { readonly event: 'lease'; readonly data: Lease | EndedLease }
  | { readonly event: 'update'; readonly data: Update };

/** What the sidecar has told so far. Times are those of the device. */
export class Known {
  lock: Lock | null = null;
  update: Update | null = null;
  /** Live leases, oldest first. */
  readonly leases = new Map<string, Lease>();
  /** The present state is being told, part by part, and nothing of it has just happened. */
  #isSnapshot = false;

  /** Whether enough is known to say how things are. */
  get isComplete(): boolean {
    return this.lock !== null && !this.#isSnapshot;
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
      // Of a sidecar that has started anew, or after too long a time without it: what was known is not true any more.
      this.#isSnapshot = true;
      this.leases.clear();
      this.update = null;
    }
    this.lock = lock;
  }
}
