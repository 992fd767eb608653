import type { Config } from './config';
import type { Clock, Timeline } from './clock';
import { Access } from './http/access';
import { createApp } from './http/app';
import { HoldStreams } from './http/hold-streams';
import { Listeners } from './http/listeners';
import { openapiDocument } from './http/openapi';
import { holdRoute } from './http/routes/hold';
import { leaseRoutes } from './http/routes/leases';
import { stateRoutes } from './http/routes/state';
import { Views } from './http/views';
import type { EventFeed } from './keeper/events';
import type { Keeper } from './keeper/keeper';
import type { LockWatch } from './lock/watch';
import { createLog, EventLog } from './log';
import { createMetrics } from './metrics';
import { VERSION } from './version';

export interface ServiceParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly keeper: Keeper;
  readonly feed: EventFeed;
  readonly watch: LockWatch;
  readonly minTtlMs: number;
}

export interface Service {
  /** Stops accepting, ends the streams, and waits for the answers that are being given. */
  close(): Promise<void>;
}

/**
 * Everything that can wait until the lock is held: log, metrics and HTTP, which take longer to load than all the rest.
 * @throws ListenError if a listener that was asked for cannot be had
 */
export async function startService({ config, clock, timeline, keeper, feed, watch, minTtlMs }: ServiceParts): Promise<Service> {
  const log = createLog(config);
  const views = new Views(timeline, () => clock.monotonicMs());
  const streams = new HoldStreams(keeper, views);
  const { defaultTtlMs, maxTtlMs, apiToken, adminToken } = config;

  const routes = [...leaseRoutes(keeper, views, { minTtlMs, defaultTtlMs, maxTtlMs }), holdRoute(keeper, streams)];
  const metrics = createMetrics(keeper, clock, timeline, VERSION);
  let document: unknown;
  routes.push(
    ...stateRoutes(keeper, views, metrics.registry, () => watch.problem(), () => (document ??= openapiDocument(routes, VERSION))),
  );
  metrics.expectRequests(routes);

  const eventLog = new EventLog(log);
  feed.subscribe(eventLog.onEvent);
  feed.subscribe(metrics.onEvent);
  feed.subscribe(streams.onEvent);
  feed.open();

  const access = new Access(apiToken === null ? [] : [apiToken, ...(adminToken === null ? [] : [adminToken])]);
  const listeners = new Listeners(createApp({ routes, access, metrics, log }));
  await listeners.open(config);

  for (const warning of listeners.warnings) log.warn(warning);
  for (const name of config.unknownVariables) log.warn(`${name} is not a setting of this version and has no effect`);
  if (!config.isOnDevice) {
    log.warn(`not on a balena device (BALENA_APP_LOCK_PATH is not set): nothing will read the lock in ${config.lockDirectory}`);
  }
  log.info('ready', { version: VERSION, directory: config.lockDirectory, listening: listeners.addresses });
  return {
    close: async () => {
      const closed = listeners.close();
      streams.close();
      await closed;
      eventLog.flush();
      log.info('stopped', { leases: keeper.leaseCount });
    },
  };
}
