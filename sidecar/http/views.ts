import type { Timeline } from '../clock';
import type { EndedLease, Lease } from '../leases/lease';
import type { LockStatus } from '../keeper/status';
import type { PathStanding } from '../lock/update-lock';
import type { EndedLeaseView, LeaseView, LockView } from './schemas';
import { summarise } from './summary';

/** Shows leases and lock as the interface has them: times in RFC 3339, lengths of time in seconds. */
export class Views {
  constructor(
    private readonly timeline: Timeline,
    private readonly nowMs: () => number,
  ) {}

  lease(lease: Lease): LeaseView {
    return this.#lease(lease, this.nowMs());
  }

  endedLease(lease: EndedLease): EndedLeaseView {
    const { reason: how, atMs } = lease.ended;
    const { name, reason, kind, since, expires, ttlSeconds, remainingSeconds, renewals, peer } = this.#lease(lease, atMs);
    const ended = { reason: how, at: this.timeline.toRfc3339(atMs) };
    return { name, reason, kind, since, expires, ttlSeconds, remainingSeconds, renewals, peer, ended };
  }

  leases(leases: readonly Lease[]): LeaseView[] {
    const nowMs = this.nowMs();
    return leases.map((lease) => this.#lease(lease, nowMs));
  }

  lock(status: LockStatus): LockView {
    const { state, sinceMs, expiresAtMs, flocked, paths, leases } = status;
    const show = (ms: number | null): string | null => (ms === null ? null : this.timeline.toRfc3339(ms));
    const nowMs = this.nowMs();
    return {
      state,
      since: show(sinceMs),
      expires: show(expiresAtMs),
      flock: flocked,
      paths: paths.map(showPath),
      leases: leases.map((lease) => this.#lease(lease, nowMs)),
      update: null,
      window: null,
      summary: summarise(status, nowMs, (ms) => this.timeline.toRfc3339(ms)),
    };
  }

  #lease({ name, reason, kind, sinceMs, endsAtMs, ttlMs, renewals, peer }: Lease, nowMs: number): LeaseView {
    // That a connection's lease ends unless its holder comes back is between the two of us: it has no end of its own.
    const endMs = kind === 'connection' ? null : endsAtMs;
    return {
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
