import type { Timeline } from '../clock';
import type { EndedLease, Lease } from '../leases/lease';
import type { WindowStatus } from '../holders/windows/window-holder';
import type { Entry } from '../history';
import type { Keeper } from '../keeper/keeper';
import type { PathStanding } from '../lock/update-lock';
import { isPending, type UpdateStatus } from '../supervisor/update-status';
import { showEntry } from './history-view';
import type { EndedLeaseView, HistoryEntryView, LeaseView, LockView, UpdateView } from './schemas';
import { summarise } from './summary';

/** Where it is read what is known of updates. */
export interface UpdateSource {
  /** As far as it is known: not configured, or never asked, counts. */
  readonly status: UpdateStatus;
  /** The same, but null where nothing is known that is of use. */
  readonly known: UpdateStatus | null;
  /** When apps are drained if nothing changes; null if they are not. */
  readonly deadlineAtMs: number | null;
  readonly isDraining: boolean;
}

/** Shows leases, lock and updates as the interface has them: times in RFC 3339, lengths of time in seconds. */
export class Views {
  constructor(
    private readonly timeline: Timeline,
    private readonly nowMs: () => number,
    private readonly keeper: Keeper,
    private readonly updates: UpdateSource,
    private readonly windows: { status(): WindowStatus } | null,
  ) {}

  lease(lease: Lease): LeaseView {
    return this.#lease(lease, this.nowMs());
  }

  endedLease(lease: EndedLease): EndedLeaseView {
    const { reason: how, atMs } = lease.ended;
    const { id, name, reason, kind, since, expires, ttlSeconds, remainingSeconds, renewals, peer } = this.#lease(lease, atMs);
    const ended = { reason: how, at: this.timeline.toRfc3339(atMs) };
    return { id, name, reason, kind, since, expires, ttlSeconds, remainingSeconds, renewals, peer, ended };
  }

  leases(leases: readonly Lease[]): LeaseView[] {
    const nowMs = this.nowMs();
    return leases.map((lease) => this.#lease(lease, nowMs));
  }

  lock(): LockView {
    // The lease of the windows follows from this.
    const window = this.windows?.status() ?? null;
    const status = this.keeper.status();
    const { state, sinceMs, expiresAtMs, flocked, paths, leases } = status;
    const nowMs = this.nowMs();
    return {
      state,
      since: this.#show(sinceMs),
      expires: this.#show(expiresAtMs),
      flock: flocked,
      paths: paths.map(showPath),
      leases: leases.map((lease) => this.#lease(lease, nowMs)),
      update: this.updates.known === null ? null : this.#update(this.updates.known, leases),
      window: window === null ? null : showWindow(window),
      summary: summarise({ lock: status, update: this.updates.known, isDraining: this.updates.isDraining, window, nowMs, timeline: this.timeline }),
    };
  }

  /** What is known of updates, even if that is nothing. */
  update(): UpdateView {
    return this.#update(this.updates.status, this.keeper.leases());
  }

  /** The same if an update waits, otherwise null. */
  pendingUpdate(): UpdateView | null {
    return isPending(this.updates.status) ? this.update() : null;
  }

  #update(status: UpdateStatus, leases: readonly Lease[]): UpdateView {
    const { supervisor, downloaded, downloading, failed, waitsSinceMs } = status;
    const pending = isPending(status);
    const { deadlineAtMs, isDraining } = this.updates;
    return {
      supervisor,
      pending,
      downloaded,
      downloading,
      failed,
      since: pending ? this.#show(waitsSinceMs) : null,
      blockedBy: pending ? leases.map(({ name }) => name) : [],
      deadline: this.#show(deadlineAtMs),
      draining: isDraining,
    };
  }

  history(entries: readonly Entry[]): HistoryEntryView[] {
    return entries.map((entry) => showEntry(entry, this.timeline));
  }

  secondsUntil(ms: number): number {
    return Math.max(0, Math.round(ms - this.nowMs())) / 1000;
  }

  #show(ms: number | null): string | null {
    return ms === null ? null : this.timeline.toRfc3339(ms);
  }

  #lease({ id, name, reason, kind, sinceMs, endsAtMs, ttlMs, renewals, peer }: Lease, nowMs: number): LeaseView {
    // That a connection's lease ends unless its holder comes back is between the two of us: it has no end of its own.
    const endMs = kind === 'connection' ? null : endsAtMs;
    return {
      id,
      name,
      reason,
      kind,
      since: this.timeline.toRfc3339(sinceMs),
      expires: endMs === null ? null : this.timeline.toRfc3339(endMs),
      ttlSeconds: ttlMs === null ? null : ttlMs / 1000,
      remainingSeconds: endMs === null ? null : Math.max(0, Math.round(endMs - nowMs)) / 1000,
      renewals,
      peer,
    };
  }
}

function showWindow({ isOpen, opensAtWallMs, closesAtWallMs, isFrozen, timeZone }: WindowStatus): LockView['window'] {
  const show = (wallMs: number | null): string | null => (wallMs === null ? null : new Date(wallMs).toISOString());
  return { open: isOpen, opens: show(opensAtWallMs), closes: show(closesAtWallMs), frozen: isFrozen, timezone: timeZone };
}

/** For the interface Helios is a Supervisor too, and what cannot be looked at is not ours. */
function showPath({ path, standing }: PathStanding): LockView['paths'][number] {
  switch (standing) {
    case 'helios':
      return { path, state: 'supervisor' };
    case 'unknown':
      return { path, state: 'foreign' };
    default:
      return { path, state: standing };
  }
}
