import type { TimeZone } from '../../server/time-zone';
import type { Timeline } from '../../server/clock';
import type { EndedLease, Lease } from '../leases/lease';
import type { WindowStatus } from '../holders/windows/allowed-times';
import type { Allowances } from '../holders/allowances';
import type { Override } from '../holders/override/override';
import type { TagProblem } from '../holders/tags/known-tags';
import type { Entry } from '../events/history';
import type { LeasePolicies } from '../leases/policies';
import type { Keeper } from '../keeper/keeper';
import type { FoundPath } from '../keeper/left-behind';
import type { LockStatus } from '../keeper/status';
import type { FleetStatus } from '../holders/fleet/fleet-status';
import type { FleetView } from './fleet-schema';
import { isPending, pendingSinceMs, type UpdateStatus } from '../supervisor/update-status';
import type { EndedLeaseView, HistoryEntryView, LeaseView, LockView, OverrideView, UpdateView } from './schemas';
import { summarise } from './summary';

/** The parts whose state is shown. */
export interface Shown {
  readonly timeline: Timeline;
  readonly nowMs: () => number;
  readonly keeper: Keeper;
  readonly updates: { readonly status: UpdateStatus; readonly known: UpdateStatus | null };
  /** Null where an update may wait without end. */
  readonly deadline: { readonly atMs: number | null; readonly drainEndsAtMs: number | null; readonly isDraining: boolean } | null;
  readonly windows: { status(): WindowStatus | null; readonly zone: TimeZone };
  /** Null if no tags steer. */
  readonly tags: { readonly problems: readonly TagProblem[] } | null;
  readonly override: { readonly current: Override | null; readonly inForce: Override | null };
  readonly device: { readonly name: string | null; readonly uuid: string | null };
  /** Null where no turns are taken. */
  readonly fleet: { readonly status: FleetStatus } | null;
  readonly allowances: Pick<Allowances, 'current'>;
  readonly policies: Pick<LeasePolicies, 'of'>;
}

/** Makes the answers of the interface from leases, lock and updates: times in RFC 3339, durations in seconds. */
export class Views {
  constructor(private readonly shown: Shown) {}

  lease(lease: Lease): LeaseView {
    return this.#lease(lease, this.shown.nowMs());
  }

  endedLease(lease: EndedLease): EndedLeaseView {
    const { reason: how, atMs } = lease.ended;
    const { id, name, reason, kind, since, expires, ttlSeconds, remainingSeconds, renewals, peer } = this.#lease(lease, atMs);
    const ended = { reason: how, at: this.shown.timeline.toRfc3339(atMs) };
    return { id, name, reason, kind, since, expires, ttlSeconds, remainingSeconds, renewals, peer, ended };
  }

  leases(leases: readonly Lease[]): LeaseView[] {
    const nowMs = this.shown.nowMs();
    return leases.map((lease) => this.#lease(lease, nowMs));
  }

  lock(): LockView {
    const { keeper, windows, updates } = this.shown;
    const window = windows.status();
    const status = keeper.status();
    const { state, sinceMs, expiresAtMs, flocked, paths, leases } = status;
    const nowMs = this.shown.nowMs();
    return {
      state,
      since: this.#show(sinceMs),
      expires: this.#show(expiresAtMs),
      flock: flocked,
      paths: paths.map(showPath),
      leases: leases.map((lease) => this.#lease(lease, nowMs)),
      update: updates.known === null ? null : this.#update(updates.known, leases),
      window: window === null ? null : showWindow(window),
      override: this.override(),
      device: this.#device(),
      summary: this.#summary(status, true),
    };
  }

  #device(): LockView['device'] {
    const { name, uuid } = this.shown.device;
    return name === null && uuid === null ? null : { name, uuid };
  }

  /** The override by hand; null without one. */
  override(): OverrideView | null {
    const { current, inForce } = this.shown.override;
    if (current === null) return null;
    const { updates, reason, sinceWallMs, untilWallMs } = current;
    const show = (wallMs: number): string => new Date(wallMs).toISOString();
    return { updates, reason, since: show(sinceWallMs), until: show(untilWallMs), inForce: inForce !== null };
  }

  /**
   * The summary without what changes by itself while nothing happens: the ends of leases, which move with every renewal, and how long an
   * update has been applied.
   */
  steadySummary(hasReasons: boolean): string {
    const status = this.shown.keeper.status();
    const leases = hasReasons ? status.leases : status.leases.map((lease) => ({ ...lease, reason: '' }));
    return this.#summary({ ...status, leases, expiresAtMs: null, paths: [] }, hasReasons);
  }

  /** Whether an update waits and is held back. */
  isHeldBack(): boolean {
    const { keeper, updates } = this.shown;
    return keeper.heldSinceMs !== null && isPending(updates.status);
  }

  #summary(lock: LockStatus, hasReasons: boolean): string {
    const { updates, deadline, policies, timeline, windows, nowMs, allowances, tags } = this.shown;
    const current = allowances.current();
    const allowance = current === null || hasReasons ? current : { ...current, reason: '' };
    const unreadableTags = tags?.problems.map(({ name }) => name) ?? [];
    const { isDraining = false, drainEndsAtMs = null } = deadline ?? {};
    const update = updates.known;
    return summarise({ lock, update, isDraining, drainEndsAtMs, allowance, unreadableTags, policies, nowMs: nowMs(), timeline, zone: windows.zone });
  }

  /** The turn of this device. */
  fleet(): FleetView {
    const { fleet } = this.shown;
    if (fleet === null) return { state: 'off', group: null, id: null, since: null, turnSince: null, nextAskAt: null, detail: null, server: 'not-asked-yet' };
    const { state, names, sinceMs, turnSinceWallMs, nextAskAtMs, detail, server } = fleet.status;
    return {
      state,
      group: names.group,
      id: names.id,
      since: this.#show(sinceMs),
      turnSince: turnSinceWallMs === null ? null : new Date(turnSinceWallMs).toISOString(),
      nextAskAt: this.#show(nextAskAtMs),
      detail: detail === '' ? null : detail,
      server,
    };
  }

  /** What is known of updates; also if nothing is known. */
  update(): UpdateView {
    return this.#update(this.shown.updates.status, this.shown.keeper.leases());
  }

  /** The same if an update waits, otherwise null. */
  pendingUpdate(): UpdateView | null {
    return isPending(this.shown.updates.status) ? this.update() : null;
  }

  #update(status: UpdateStatus, leases: readonly Lease[]): UpdateView {
    const { supervisor, downloaded, downloading, failed, waiting, detail } = status;
    const pending = isPending(status);
    const { deadline } = this.shown;
    return {
      supervisor,
      pending,
      waiting: waiting.map(({ what }) => what),
      downloaded,
      downloading,
      failed,
      since: this.#show(pendingSinceMs(status)),
      blockedBy: pending ? leases.map(({ name }) => name) : [],
      deadline: this.#show(deadline?.atMs ?? null),
      draining: deadline?.isDraining ?? false,
      drainEnds: this.#show(deadline?.drainEndsAtMs ?? null),
      detail,
    };
  }

  history(entries: readonly Entry[]): HistoryEntryView[] {
    return entries.map(({ atMs, text: { event, name = null, text, detail = '' } }) => ({
      at: this.shown.timeline.toRfc3339(atMs), event, name, text, detail,
    }));
  }

  secondsUntil(ms: number): number {
    return Math.max(0, Math.round(ms - this.shown.nowMs())) / 1000;
  }

  #show(ms: number | null): string | null {
    return ms === null ? null : this.shown.timeline.toRfc3339(ms);
  }

  #lease({ id, name, reason, kind, sinceMs, endsAtMs, ttlMs, renewals, peer }: Lease, nowMs: number): LeaseView {
    // A connection's lease has an end only while its holder may come back, which is not part of the interface.
    const endMs = kind === 'connection' ? null : endsAtMs;
    return {
      id,
      name,
      reason,
      kind,
      since: this.shown.timeline.toRfc3339(sinceMs),
      expires: endMs === null ? null : this.shown.timeline.toRfc3339(endMs),
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

/** In the interface Helios counts as the Supervisor; its stale files, and a path that cannot be looked at, as foreign. */
function showPath({ path, standing, isLeftBehind }: FoundPath): LockView['paths'][number] {
  switch (standing) {
    case 'helios':
      return { path, state: isLeftBehind ? 'foreign' : 'supervisor' };
    case 'unknown':
      return { path, state: 'foreign' };
    default:
      return { path, state: standing };
  }
}
