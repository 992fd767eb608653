import { createApp } from '../server/http/app';
import { Listeners } from '../server/http/listeners';
import { createLog, type Logger } from '../server/log';
import { VERSION } from '../server/version';
import type { Config } from './config/config';
import { followDeviceTokens } from './config/device-tokens';
import { Coordinator, type CoordinatorEvents } from './coordinator';
import { Access } from './http/access';
import type { Failures } from './http/answer-later';
import { routeTable } from './http/route-table';
import { createMetrics, type Metrics } from './metrics';
import type { Store } from './store/store';

/**
 * Starts serving what is in the store.
 * @returns what stops it
 * @throws ListenError if it cannot listen
 */
export async function startService(config: Config, store: Store): Promise<() => Promise<void>> {
  const { newGroups, staleAfterMs, deviceTokens, adminToken, host, port, tls } = config;
  const wallMs = (): number => Date.now();
  const log = createLog(config);
  const metrics = createMetrics(store, staleAfterMs, wallMs);
  const coordinator = new Coordinator(store, newGroups, wallMs, tell(log, metrics));
  const access = new Access(deviceTokens, adminToken);
  const failures: Failures = {
    unavailable: ({ operation, message }) => {
      metrics.countStoreError(operation);
      log.error('store unavailable', { operation, detail: message });
    },
    bug: (error) => {
      metrics.countInternalError();
      log.error('internal error', { error: error instanceof Error ? error.stack : String(error) });
    },
  };
  const routes = routeTable({ coordinator, access, store, registry: metrics.registry, staleAfterMs, wallMs, failures });
  metrics.expectRequests(routes);
  const listeners = new Listeners(createApp({ routes, access, metrics, log, beforeRead: () => undefined }));
  await listeners.open({ host, port, portRemedy: 'COORDINATOR_PORT can be another port', tls, socketPath: null, socketRemedy: '', isSocketRequired: false, socketMode: 0 });

  const unfollow = deviceTokens.kind === 'own' ? followDeviceTokens(deviceTokens.path, adminToken, (read) => {
    if (read.ok) {
      access.setOwnTokens(read.tokens);
      log.info('device tokens read again', { devices: read.tokens.size });
    } else {
      log.error('the file of device tokens has mistakes, so the tokens stay as they were', { mistakes: read.mistakes });
    }
  }) : null;

  for (const warning of config.warnings) log.warn(warning);
  if (deviceTokens.kind === 'none') log.warn('COORDINATOR_DEVICE_TOKEN is not set: everybody who reaches this port can take turns and give back those of other devices');
  if (adminToken === null) log.warn('COORDINATOR_ADMIN_TOKEN is not set: nobody can change groups or release turns');
  await coordinator.makeGroups().catch((error: unknown) => {
    // They are made when the first device asks.
    log.warn('the groups of COORDINATOR_GROUPS could not be made yet', { detail: String(error) });
  });
  log.info('ready', { version: VERSION, store: config.store.kind, listening: listeners.addresses });
  return async () => {
    unfollow?.();
    await listeners.close();
    await store.close();
  };
}

/** Writes what happens into the log, and counts it. */
function tell(log: Logger, metrics: Metrics): CoordinatorEvents {
  return {
    asked: (group, { id }, decision) => {
      const isRefused = decision.kind === 'refused';
      metrics.countTurn(group, isRefused ? decision.code : decision.kind);
      if (decision.kind === 'granted') log.info('turn granted', { group, id });
      else if (isRefused && decision.code === 'other_instance') log.warn('two devices have the same id', { group, id });
      else log.debug('asked', { group, id, answer: isRefused ? decision.code : decision.kind });
    },
    givenBack: (group, { id }, result) => {
      if (result !== 'turn') return;
      metrics.countTurn(group, 'returned');
      log.info('turn given back', { group, id });
    },
    released: (group, id) => {
      metrics.countTurn(group, 'released');
      log.warn('turn released by an admin', { group, id });
    },
    changed: (group, { slots, paused, isAdHoc }) => {
      if (isAdHoc) log.warn('group made, since any name is allowed', { group, slots });
      else log.info('group changed', { group, slots, paused });
    },
  };
}
