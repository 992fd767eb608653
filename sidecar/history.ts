import type { Clock } from './clock';
import type { SidecarEvent } from './event-feed';
import type { Keeper } from './keeper/keeper';

/** So many are kept: bounded, and enough to see how a device came to be as it is. */
export const HISTORY_LENGTH = 50;

/** What comes with every request, or says nothing that another event does not say. */
const UNTOLD = ['request-waits', 'request-dropped', 'refused', 'lock-released', 'probe-asked', 'probe-turned'] as const;

type Told = Exclude<SidecarEvent, { readonly type: (typeof UNTOLD)[number] }>;

/** The events that are told, and what is none: how the process and the names of the lock have fared. */
export type Happening =
  | Told
  | { readonly type: 'started' }
  /** Somebody else has the lock now, or nobody has any more. */
  | { readonly type: 'lock-turned'; readonly state: 'updating' | 'foreign' | 'free' }
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
  /** Oldest first. */
  readonly #entries: Entry[] = [];
  #lockState = 'free';
  #isDownloading = false;

  constructor(
    private readonly clock: Clock,
    private readonly keeper: Pick<Keeper, 'heldSinceMs' | 'status'>,
  ) {
    this.#add({ type: 'started' });
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
    if (isTold(event)) this.#add(event);
  };

  /** To be called when something has happened in the lock directory: who else has the lock is no event of the keeper's. */
  onLook(): void {
    const before = this.#lockState;
    this.#lockState = this.keeper.heldSinceMs === null ? this.keeper.status().state : 'held';
    if (this.#lockState === before) return;
    if (this.#lockState === 'updating' || this.#lockState === 'foreign') this.#add({ type: 'lock-turned', state: this.#lockState });
    else if (this.#lockState === 'free' && (before === 'updating' || before === 'foreign')) this.#add({ type: 'lock-turned', state: 'free' });
  }

  #add(happening: Happening): void {
    // What happens again and again must not push out everything else.
    const same = this.#entries.findLastIndex((entry) => isSame(entry.happening, happening));
    if (same !== -1) this.#entries.splice(same, 1);
    this.#entries.push({ atMs: timeOf(happening) ?? this.clock.monotonicMs(), happening });
    if (this.#entries.length > HISTORY_LENGTH) this.#entries.shift();
  }
}

function isTold(event: SidecarEvent): event is Told {
  return !(UNTOLD as readonly string[]).includes(event.type);
}

function isSame(one: Happening, other: Happening): boolean {
  if (one.type === 'lease-renewed' && other.type === 'lease-renewed') {
    return one.lease.name === other.lease.name && one.lease.sinceMs === other.lease.sinceMs;
  }
  return one.type === 'failed' && other.type === 'failed' && one.operation === other.operation && one.detail === other.detail;
}

/** Null for what has no time of its own: that happens as it is told. */
function timeOf(happening: Happening): number | null {
  switch (happening.type) {
    case 'lease-acquired':
      return happening.recovered ? null : happening.lease.sinceMs;
    case 'lease-ended':
      return happening.lease.ended.atMs;
    default:
      return null;
  }
}
