import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock, Timeline } from '../../server/clock';
import type { SidecarEvent } from '../events/event';
import type { HttpObservation } from '../../server/http/call';
import type { Route } from '../../server/http/route';
import { REJECTION_CODES } from '../leases/refusal-codes';
import { FALLIBLE_OPERATIONS, LOSS_CAUSES } from '../events/event';
import type { Keeper } from '../keeper/keeper';
import { isSupervisors, LOCK_STATES } from '../keeper/status';
import { END_REASONS } from '../leases/lease';
import { REQUEST_KINDS, REQUEST_RESULTS } from '../events/event';
import { isPending, pendingSinceMs, type UpdateStatus } from '../supervisor/update-status';
import { LeaseNameSeries } from './lease-name-series';
import { addProcessMetrics } from '../../server/process-metrics';

export interface Metrics {
  readonly registry: Registry;
  /** Counts events. */
  readonly onEvent: (event: SidecarEvent) => void;
  readonly observeRequest: (observation: HttpObservation) => void;
  readonly countInternalError: () => void;
  /** Creates the series for the usual answers of these routes, so that they exist before the first request. */
  readonly expectRequests: (routes: readonly Route[]) => void;
}

/**
 * All series of the interface, there from the start. Gauges are read when Prometheus asks, so that they cost nothing in between.
 */
export function createMetrics(
  keeper: Keeper,
  clock: Clock,
  timeline: Timeline,
  updateStatus: () => UpdateStatus,
  isWindowOpen: () => boolean,
  version: string,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  addProcessMetrics(registry);

  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({ name: `update_lock_${name}`, help, registers, collect() { this.set(read()); } });
  };
  const counter = <L extends string>(name: string, help: string, label: L, values: readonly string[]): Counter<L> => {
    const created = new Counter<L>({ name: `update_lock_${name}`, help, registers, labelNames: [label] });
    for (const value of values) created.inc({ [label]: value } as Record<L, string>, 0);
    return created;
  };
  const counterWithoutLabels = (name: string, help: string): Counter =>
    new Counter({ name: `update_lock_${name}`, help, registers });

  gauge('held', '1 while the update lock is ours.', () => Number(keeper.heldSinceMs !== null));
  new Gauge({
    name: 'update_lock_state',
    help: '1 for the present state of the update lock.',
    registers,
    labelNames: ['state'],
    collect() {
      const { state } = keeper.status();
      for (const each of LOCK_STATES) this.set({ state: each }, Number(each === state));
    },
  });
  gauge('held_since_timestamp_seconds', 'Since when the update lock has been ours; 0 while it is not.', () =>
    keeper.heldSinceMs === null ? 0 : timeline.toWallMs(keeper.heldSinceMs) / 1000,
  );
  gauge('leases', 'Live leases.', () => keeper.leaseCount);
  gauge('supervisor_holds_lock', '1 while the Supervisor or Helios holds the lock.', () =>
    Number(isSupervisors(keeper.status())),
  );

  gauge('supervisor_up', '1 if the Supervisor answered when it was last asked; 0 if it was not, or never asked.', () =>
    Number(updateStatus().supervisor === 'reachable'),
  );
  gauge('update_pending', '1 while an update or a reboot of the host OS waits, as far as is known.', () => Number(isPending(updateStatus())));
  gauge('update_pending_since_timestamp_seconds', 'Since when the first of them waits; 0 while none does.', () => {
    const sinceMs = pendingSinceMs(updateStatus());
    return sinceMs === null ? 0 : timeline.toWallMs(sinceMs) / 1000;
  });
  gauge('reboot_pending', '1 while a reboot of the host OS waits, as far as is known.', () =>
    Number(updateStatus().waiting.some(({ what }) => what === 'reboot')),
  );
  gauge('window_open', '1 while updates are allowed by the clock; always, without windows.', () => Number(isWindowOpen()));

  const names = new LeaseNameSeries();
  new Gauge({
    name: 'update_lock_lease_held',
    help: '1 while the lease of that name is live; names beyond the first 32 count under "other".',
    registers,
    labelNames: ['name'],
    collect() {
      this.reset();
      for (const [name, value] of names.read(keeper.leases())) this.set({ name }, value);
    },
  });

  const acquired = counterWithoutLabels('leases_acquired_total', 'Leases granted.');
  const renewed = counterWithoutLabels('leases_renewed_total', 'Renewals granted.');
  const ended = counter('leases_ended_total', 'Leases ended, by reason.', 'reason', END_REASONS);
  const rejections = counter('rejections_total', 'Answers with status 423, 429 or 503.', 'code', [...REJECTION_CODES, 'supervisor-unavailable']);
  const lost = counter('lost_total', 'How often the lock was taken away from outside.', 'cause', LOSS_CAUSES);
  const updateRequests = new Counter({
    name: 'update_lock_update_requests_total',
    help: 'How often the Supervisor was asked to try an update, and what became of it.',
    registers,
    labelNames: ['kind', 'result'],
  });
  for (const kind of REQUEST_KINDS) for (const result of REQUEST_RESULTS) updateRequests.inc({ kind, result }, 0);
  const errors = counter('errors_total', 'What failed.', 'operation', [...FALLIBLE_OPERATIONS, 'http']);
  const duration = new Histogram({
    name: 'update_lock_lease_duration_seconds',
    help: 'How long leases lasted.',
    registers,
    buckets: [1, 10, 60, 300, 900, 3600, 14_400, 86_400],
  });
  let heldMs = 0;
  new Counter({
    name: 'update_lock_held_seconds_total',
    help: 'For how long the update lock has been ours, since the sidecar started.',
    registers,
    collect() {
      const { heldSinceMs } = keeper;
      const sinceMs = heldSinceMs === null ? null : Math.max(heldSinceMs, startedMs);
      this.reset();
      this.inc((heldMs + (sinceMs === null ? 0 : clock.monotonicMs() - sinceMs)) / 1000);
    },
  });
  const startedMs = clock.monotonicMs();

  const requests = new Histogram({
    name: 'update_lock_http_request_duration_seconds',
    help: 'Time from a request to its answer; for a hold, until it is granted.',
    registers,
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.01, 0.1, 1, 10],
  });
  new Gauge({ name: 'update_lock_build_info', help: 'The version that runs.', registers, labelNames: ['version'] })
    .set({ version }, 1);

  const count = (event: SidecarEvent): void => {
    switch (event.type) {
      case 'lease-acquired':
        names.add(event.lease.name);
        if (!event.recovered) acquired.inc();
        return;
      case 'lease-renewed':
        renewed.inc();
        return;
      case 'lease-ended':
        ended.inc({ reason: event.lease.ended.reason });
        duration.observe((event.lease.ended.atMs - event.lease.sinceMs) / 1000);
        return;
      case 'lock-released':
        return;
      case 'lock-lost':
        lost.inc({ cause: event.cause });
        return;
      case 'refused':
        if (REJECTION_CODES.includes(event.refusal.code)) {
          rejections.inc({ code: event.refusal.code });
        }
        return;
      case 'failed':
        errors.inc({ operation: event.operation });
        return;
      case 'update-refused':
        rejections.inc({ code: 'supervisor-unavailable' });
        return;
      case 'update-requested':
        updateRequests.inc({ kind: event.kind, result: event.result });
        return;
      default:
    }
  };
  return {
    registry,
    onEvent: (event) => {
      // How long it was held in our time shows only now.
      if (event.type === 'lock-released') heldMs += Math.min(event.heldMs, clock.monotonicMs() - startedMs);
      else count(event);
    },
    observeRequest: ({ seconds, ...labels }) => {
      requests.observe(labels, seconds);
    },
    expectRequests: (routes) => {
      for (const { method, path, answers } of routes) {
        for (const status of Object.keys(answers)) requests.zero({ method: method.toUpperCase(), route: path, status });
      }
    },
    countInternalError: () => {
      errors.inc({ operation: 'http' });
    },
  };
}
