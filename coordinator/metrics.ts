import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HttpObservation } from '../server/http/call';
import { oncePerTurn } from '../server/http/once-per-turn';
import type { Route } from '../server/http/route';
import { addProcessMetrics } from '../server/process-metrics';
import { VERSION } from '../server/version';
import { countAsking, isStale, REFUSALS } from './groups';
import { STORE_OPERATIONS, type Store, type StoredGroup, type StoreOperation } from './store/store';

/** What became of a request for a turn or of a turn. */
export const TURN_RESULTS = ['granted', 'confirmed', ...REFUSALS, 'returned', 'released'] as const;
export type TurnResult = (typeof TURN_RESULTS)[number];

export interface Metrics {
  readonly registry: Registry;
  readonly countTurn: (group: string, result: TurnResult) => void;
  readonly countStoreError: (operation: StoreOperation) => void;
  readonly observeRequest: (observation: HttpObservation) => void;
  readonly countInternalError: () => void;
  readonly expectRequests: (routes: readonly Route[]) => void;
}

/** The series of the coordinator. What is in the store is read when Prometheus asks. */
export function createMetrics(store: Store, staleAfterMs: number, wallMs: () => number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  addProcessMetrics(registry);
  const readGroups = oncePerTurn(() => store.readAll().catch(() => []));

  const ofGroups = (name: string, help: string, read: (group: StoredGroup) => number): void => {
    new Gauge({
      name: `update_lock_coordinator_${name}`,
      help,
      registers,
      labelNames: ['group'],
      async collect() {
        const groups = await readGroups();
        this.reset();
        for (const group of groups) this.set({ group: group.name }, read(group));
      },
    });
  };
  ofGroups('slots', 'How many devices may have a turn at once.', ({ slots }) => slots);
  ofGroups('holders', 'Devices that have a turn.', ({ holders }) => holders.size);
  ofGroups('waiting', 'Devices that wait for a turn and still ask.', (group) => countAsking(group, wallMs()));
  ofGroups('stale_holders', 'Devices that have had their turn for longer than COORDINATOR_STALE_AFTER.', ({ holders }) => (
    [...holders.values()].filter((holder) => isStale(holder, staleAfterMs, wallMs())).length
  ));
  ofGroups('paused', '1 while the group is paused.', ({ paused }) => Number(paused));
  new Gauge({
    name: 'update_lock_coordinator_store_up',
    help: '1 while the store can be read and written.',
    registers,
    async collect() {
      this.set(Number((await store.problem()) === null));
    },
  });

  const turns = new Counter({
    name: 'update_lock_coordinator_turns_total',
    help: 'Answers to devices that asked for a turn, turns that were given back, and those that an admin released.',
    registers,
    labelNames: ['group', 'result'],
    // A series that first appears with 1 has not increased, as Prometheus sees it.
    async collect() {
      for (const { name: group } of await readGroups()) for (const result of TURN_RESULTS) this.inc({ group, result }, 0);
    },
  });
  const storeErrors = new Counter({
    name: 'update_lock_coordinator_store_errors_total',
    help: 'Requests that could not be answered because of the store, by what it could not do.',
    registers,
    labelNames: ['operation'],
  });
  for (const operation of STORE_OPERATIONS) storeErrors.inc({ operation }, 0);
  const internalErrors = new Counter({ name: 'update_lock_coordinator_internal_errors_total', help: 'Bugs, which are in the log.', registers });
  const requests = new Histogram({
    name: 'update_lock_coordinator_http_request_duration_seconds',
    help: 'Time from a request to its answer.',
    registers,
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.01, 0.1, 1, 10],
  });
  new Gauge({ name: 'update_lock_coordinator_build_info', help: 'The version that runs.', registers, labelNames: ['version'] }).set({ version: VERSION }, 1);
  return {
    registry,
    countTurn: (group, result) => {
      turns.inc({ group, result });
    },
    countStoreError: (operation) => {
      storeErrors.inc({ operation });
    },
    observeRequest: ({ seconds, ...labels }) => {
      requests.observe(labels, seconds);
    },
    countInternalError: () => {
      internalErrors.inc();
    },
    expectRequests: (routes) => {
      for (const { method, path, answers } of routes) {
        for (const status of Object.keys(answers)) requests.zero({ method: method.toUpperCase(), route: path, status });
      }
    },
  };
}
