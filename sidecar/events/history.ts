import type { Clock } from '../../server/clock';
import { describe, type HistoryText } from './event-texts';
import type { SidecarEvent } from './event';

/** How many events are kept: enough to see how a device got into its state. */
export const HISTORY_LENGTH = 50;

/** How many of them may be about leases, and how many about anything else: one sort cannot use up the places of the other. */
export const PLACES_EACH = 20;

/** How many of those that are not about leases may be of one kind. */
export const MAX_OF_ONE_KIND = 10;

export interface Entry {
  /** When it happened, in monotonic milliseconds. */
  readonly atMs: number;
  readonly event: SidecarEvent;
  readonly text: HistoryText;
}

/** The last of what has happened since the sidecar's start, in memory, for people who look only afterwards. */
export class History {
  /** By when it happened, the oldest first. */
  readonly #entries: Entry[] = [];

  constructor(private readonly clock: Clock) {}

  /** The latest first. */
  get entries(): readonly Entry[] {
    return this.#entries.toReversed();
  }

  onEvent(event: SidecarEvent): void {
    const text = describe(event)?.history ?? null;
    if (text === null) return;
    const entries = this.#entries;
    // The renewals of a lease are one entry.
    if (event.type === 'lease-renewed') this.#remove(entries.findLastIndex((entry) => isRenewalOfSame(entry.event, event)));
    const atMs = timeOf(event) ?? this.clock.monotonicMs();
    // What ended while nobody was there to see it is told late.
    const before = entries.findLastIndex((entry) => entry.atMs <= atMs);
    entries.splice(before + 1, 0, { atMs, event, text });
    const ofOneKind = isOfLease(event) ? 0 : entries.filter((entry) => entry.event.type === event.type).length;
    if (ofOneKind > MAX_OF_ONE_KIND) this.#remove(entries.findIndex((entry) => entry.event.type === event.type));
    if (entries.length > HISTORY_LENGTH) this.#makeRoom();
  }

  /** The oldest goes, unless all of its sort are in the places that are theirs. */
  #makeRoom(): void {
    const [oldest] = this.#entries;
    if (oldest === undefined) return;
    const isSort = isOfLease(oldest.event);
    const count = this.#entries.filter(({ event }) => isOfLease(event) === isSort).length;
    this.#remove(count > PLACES_EACH ? 0 : this.#entries.findIndex(({ event }) => isOfLease(event) !== isSort));
  }

  #remove(index: number): void {
    if (index !== -1) this.#entries.splice(index, 1);
  }
}

function isOfLease({ type }: SidecarEvent): boolean {
  return type === 'lease-acquired' || type === 'lease-renewed' || type === 'lease-ended';
}

function isRenewalOfSame(one: SidecarEvent, { lease }: SidecarEvent & { readonly type: 'lease-renewed' }): boolean {
  return one.type === 'lease-renewed' && one.lease.name === lease.name && one.lease.sinceMs === lease.sinceMs;
}

/** Undefined for what has no time of its own: that happens as it is told. */
function timeOf(event: SidecarEvent): number | undefined {
  switch (event.type) {
    case 'lease-acquired':
      return event.recovered ? undefined : event.lease.sinceMs;
    case 'lease-ended':
      return event.lease.ended.atMs;
    case 'lock-lost':
    case 'started':
      return event.atMs;
    default:
      return undefined;
  }
}
