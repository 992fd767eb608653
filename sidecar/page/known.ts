import type { EndedLeaseView, LeaseView, LockEventView, UpdateView } from '../http/schemas';
import { History } from './history';

export type Lease = LeaseView;
export type EndedLease = EndedLeaseView;
export type Update = UpdateView;
export type Lock = LockEventView;

/** An update is being applied: also while a gate is closed, which is then what the state tells. */
export function isUpdating({ state, paths }: Lock): boolean {
  return state === 'updating' || (state !== 'held' && paths.some((path) => path.state === 'supervisor'));
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
  readonly history = new History();
  /** The present state is being told, part by part, and nothing of it has just happened. */
  #isSnapshot = false;

  /** Whether enough is known to say how things are. */
  get isComplete(): boolean {
    return this.lock !== null && !this.#isSnapshot;
  }

  /** @param nowMs the time on the device, for what has no time of its own */
  take(message: Message, nowMs: number): void {
    switch (message.event) {
      case 'lock':
        this.#takeLock(message.data, nowMs);
        return;
      case 'lease':
        this.#takeLease(message.data, nowMs);
        return;
      case 'update':
        this.#takeUpdate(message.data, nowMs);
    }
  }

  #takeLock(lock: Lock, nowMs: number): void {
    if (lock.snapshot) {
      // Of a sidecar that has started anew, or after too long a time without it: what was known is not true any more.
      this.#isSnapshot = true;
      this.leases.clear();
      this.update = null;
    } else if (this.lock !== null) {
      this.history.noteLock(this.lock, lock, nowMs);
    }
    this.lock = lock;
  }

  #takeLease(lease: Lease | EndedLease, nowMs: number): void {
    if ('ended' in lease) this.leases.delete(lease.name);
    else this.leases.set(lease.name, lease);
    if (!this.#isSnapshot) this.history.noteLease(lease, nowMs);
  }

  #takeUpdate(update: Update, nowMs: number): void {
    const before = this.update;
    this.update = update;
    if (this.#isSnapshot) {
      this.#isSnapshot = false;
      this.history.begin([...this.leases.values()], update, nowMs);
    } else if (before !== null) {
      this.history.noteUpdate(before, update, nowMs);
    }
  }
}
