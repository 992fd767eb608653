import type { Clock } from './clock';
import type { SidecarEvent } from './event-feed';
import type { DeadlineEvent } from './gates/deadline';
import type { Keeper } from './keeper/keeper';
import { isSupervisors, type LockStatus } from './keeper/status';
import type { UpdateEvent } from './supervisor/events';

/** So many are kept: enough to see how a device came to be as it is. */
export const HISTORY_LENGTH = 50;

/** So many places are for events of leases, and so many for all others: neither pushes out the other. */
export const PLACES_EACH = 20;

/** So many may be of one kind, of those that are not of leases. */
export const MAX_OF_ONE_KIND = 10;

/** What comes with every request, or says nothing that another event does not say. */
const UNTOLD = ['request-waits', 'request-dropped', 'refused', 'lock-released', 'probe-asked', 'probe-turned'] as const;

type Told = Exclude<SidecarEvent, { readonly type: (typeof UNTOLD)[number] }>;

/** Who has the lock if it is not us: the Supervisor or Helios, somebody else, or nobody. */
export type LockTurn = 'updating' | 'foreign' | 'free';

/** The events that are told, and what is none: how the process and the names of the lock have fared. */
export type Happening =
  | Told
  | { readonly type: 'started' }
  /** Somebody else has the lock now, or nobody has any more. */
  | { readonly type: 'lock-turned'; readonly turn: LockTurn }
  | UpdateHappening;

/** What happens to an update that waits, or will. */
export type UpdateHappening = UpdateEvent | DeadlineEvent | { readonly type: 'download-began' };

export interface Entry {
  /** When it happened, in monotonic milliseconds. */
  readonly atMs: number;
  readonly happening: Happening;
}

/**
 * The last of what has happened since the sidecar's start, for whoever looks only afterwards. It is kept as it came:
 * words and times are made when somebody asks.
 */
export class History {
  /** By when it happened, the oldest first. */
  readonly #entries: Entry[] = [];
  #lockTurn: LockTurn = 'free';
  #isDownloading = false;

  /** @param startedAtMs when the process began: the lock may have been taken before this was made */
  constructor(
    private readonly clock: Clock,
    private readonly keeper: Pick<Keeper, 'heldSinceMs' | 'status'>,
    startedAtMs: number,
  ) {
    this.#add({ type: 'started' }, startedAtMs);
  }

  /** The latest first. */
  get entries(): readonly Entry[] {
    return this.#entries.toReversed();
  }

  readonly onEvent = (event: SidecarEvent): void => {
    if (event.type === 'update-changed') {
      const { downloading } = event.status;
      if (downloading && !this.#isDownloading) this.#add({ type: 'download-began' });
      this.#isDownloading = downloading;
      if (event.turn === null) return;
    }
    if (isTold(event)) this.#add(event, timeOf(event));
  };

  /** To be called when something has happened in the lock directory: who else has the lock is no event of the keeper's. */
  onLook(): void {
    const isHeld = this.keeper.heldSinceMs !== null;
    const turn = isHeld ? 'free' : turnOf(this.keeper.status());
    if (turn === null || turn === this.#lockTurn) return;
    this.#lockTurn = turn;
    // That we have it, the leases say.
    if (!isHeld) this.#add({ type: 'lock-turned', turn });
  }

  #add(happening: Happening, atMs = this.clock.monotonicMs()): void {
    const entries = this.#entries;
    if (happening.type === 'lease-renewed') this.#remove(entries.findLastIndex((entry) => isSameRenewed(entry.happening, happening)));
    // What ended while nobody was there to see it is told late.
    const before = entries.findLastIndex((entry) => entry.atMs <= atMs);
    entries.splice(before + 1, 0, { atMs, happening });
    const ofOneKind = isOfLease(happening) ? [] : entries.filter((entry) => entry.happening.type === happening.type);
    if (ofOneKind.length > MAX_OF_ONE_KIND) this.#remove(entries.findIndex((entry) => entry.happening.type === happening.type));
    if (entries.length > HISTORY_LENGTH) this.#makeRoom();
  }

  /** The oldest goes, unless all of its sort are in the places that are theirs. */
  #makeRoom(): void {
    const isSort = entryIsOfLease(this.#entries[0]);
    const count = this.#entries.filter((entry) => entryIsOfLease(entry) === isSort).length;
    this.#remove(count > PLACES_EACH ? 0 : this.#entries.findIndex((entry) => entryIsOfLease(entry) !== isSort));
  }

  #remove(index: number): void {
    if (index !== -1) this.#entries.splice(index, 1);
  }
}

function entryIsOfLease(entry: Entry | undefined): boolean {
  return entry !== undefined && isOfLease(entry.happening);
}

function isOfLease({ type }: Happening): boolean {
  return type === 'lease-acquired' || type === 'lease-renewed' || type === 'lease-ended';
}

function isTold(event: SidecarEvent): event is Told {
  return !(UNTOLD as readonly string[]).includes(event.type);
}

/**
 * From the names of the lock, not from what is in the way of a lease: after a loss that is the cooldown for a while. Null while they
 * cannot be looked at.
 */
function turnOf(status: LockStatus): LockTurn | null {
  if (status.paths.length === 0) return null;
  if (isSupervisors(status)) return 'updating';
  return status.paths.some(({ standing }) => standing === 'foreign') ? 'foreign' : 'free';
}

function isSameRenewed(one: Happening, { lease }: Happening & { readonly type: 'lease-renewed' }): boolean {
  return one.type === 'lease-renewed' && one.lease.name === lease.name && one.lease.sinceMs === lease.sinceMs;
}

/** Undefined for what has no time of its own: that happens as it is told. */
function timeOf(event: Told): number | undefined {
  switch (event.type) {
    case 'lease-acquired':
      return event.recovered ? undefined : event.lease.sinceMs;
    case 'lease-ended':
      return event.lease.ended.atMs;
    case 'lock-lost':
      return event.atMs;
    default:
      return undefined;
  }
}
