import type { Clock } from './clock';
import type { SidecarEvent } from './event-feed';
import type { Keeper } from './keeper/keeper';
import { isSupervisors, type LockStatus } from './keeper/status';

/** So many are kept: bounded, and enough to see how a device came to be as it is. */
export const HISTORY_LENGTH = 50;

/** So many of them may be of one source. */
export const MAX_OF_ONE_SOURCE = 10;

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
  | { readonly type: 'lock-turned'; readonly state: LockTurn }
  | { readonly type: 'download-began' };

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
  readonly #entries: (Entry & { readonly source: string })[] = [];
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
    const state = this.keeper.heldSinceMs === null ? turnOf(this.keeper.status()) : 'free';
    if (state === this.#lockTurn) return;
    this.#lockTurn = state;
    // That we have it, the leases say.
    if (state !== 'free' || this.keeper.heldSinceMs === null) this.#add({ type: 'lock-turned', state });
  }

  #add(happening: Happening, atMs = this.clock.monotonicMs()): void {
    if (happening.type === 'lease-renewed') this.#remove(this.#entries.findLastIndex((entry) => isSameRenewed(entry.happening, happening)));
    const source = sourceOf(happening);
    if (this.#entries.filter((entry) => entry.source === source).length >= MAX_OF_ONE_SOURCE) {
      this.#remove(this.#entries.findIndex((entry) => entry.source === source));
    }
    // What ended while nobody was there to see it is told late.
    const before = this.#entries.findLastIndex((entry) => entry.atMs <= atMs);
    this.#entries.splice(before + 1, 0, { atMs, happening, source });
    if (this.#entries.length > HISTORY_LENGTH) this.#entries.shift();
  }

  #remove(index: number): void {
    if (index !== -1) this.#entries.splice(index, 1);
  }
}

function isTold(event: SidecarEvent): event is Told {
  return !(UNTOLD as readonly string[]).includes(event.type);
}

/** From the names of the lock, not from what is in the way of a lease: after a loss that is the cooldown for a while. */
function turnOf(status: LockStatus): LockTurn {
  if (isSupervisors(status)) return 'updating';
  return status.paths.some(({ standing }) => standing === 'foreign') ? 'foreign' : 'free';
}

function isSameRenewed(one: Happening, { lease }: Happening & { readonly type: 'lease-renewed' }): boolean {
  return one.type === 'lease-renewed' && one.lease.name === lease.name && one.lease.sinceMs === lease.sinceMs;
}

/** Whose doing it is: one app that comes and goes all the time, or a loss of a hundred leases, must not push out everything else. */
function sourceOf(happening: Happening): string {
  switch (happening.type) {
    case 'lease-acquired':
    case 'lease-renewed':
      return `lease ${happening.lease.name}`;
    case 'lease-ended': {
      const { name, ended } = happening.lease;
      return ended.reason === 'lost' || ended.reason === 'drained' ? ended.reason : `lease ${name}`;
    }
    default:
      return happening.type;
  }
}

/** Undefined for what has no time of its own: that happens as it is told. */
function timeOf(event: Told): number | undefined {
  switch (event.type) {
    case 'lease-acquired':
      return event.recovered ? undefined : event.lease.sinceMs;
    case 'lease-ended':
      return event.lease.ended.atMs;
    default:
      return undefined;
  }
}
