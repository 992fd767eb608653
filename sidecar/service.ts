import type { Registry } from 'prom-client';
import type { Config } from './config';
import type { Clock, Timeline } from './clock';
import type { EventFeed, SidecarEvent } from './event-feed';
import { History } from './history';
import { Access } from './http/access';
import { createApp } from './http/app';
import { EventStreams } from './http/event-streams';
import { HoldStreams } from './http/hold-streams';
import { Hosts } from './http/hosts';
import { Listeners } from './http/listeners';
import { routeTable } from './http/route-table';
import { Views } from './http/views';
import type { Tokens } from './http/tokens';
import type { Probes } from './holders/probes/probes';
import type { WindowHolder } from './holders/windows/window-holder';
import type { Keeper } from './keeper/keeper';
import type { Gate } from './leases/gate';
import type { LockWatch } from './lock/watch';
import { createLog, EventLog } from './log';
import { createMetrics } from './metrics';
import { addProbeMetrics } from './probe-metrics';
import { connectUpdates } from './update-service';
import { VERSION } from './version';

export interface ServiceParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly keeper: Keeper;
  /** The keeper's gates, to which others are added here. */
  readonly gates: Gate[];
  /** Null without windows. */
  readonly windows: WindowHolder | null;
  readonly feed: EventFeed;
  readonly watch: LockWatch;
  readonly minTtlMs: number;
}

export interface Service {
  /** To be called when something has happened in the lock directory, after the keeper has looked. */
  lookedAtLock(): void;
  /** To be called when the lock directory has been opened. */
  lockOpened(): void;
  /** Stops accepting, ends the streams, and waits for the answers that are being given. */
  close(): Promise<void>;
}

/**
 * Everything that can wait until the lock is held: log, metrics, the Supervisor and HTTP, which take longer to load than
 * all the rest.
 * @throws ListenError if a listener that was asked for cannot be had
 */
export async function startService(parts: ServiceParts): Promise<Service> {
  const { config, clock, timeline, keeper, windows, feed, watch, minTtlMs } = parts;
  const log = createLog(config);
  const updates = connectUpdates(parts);
  const views = new Views(timeline, () => clock.monotonicMs(), keeper, updates, windows);
  const holds = new HoldStreams(keeper, views);
  const events = new EventStreams(keeper, views);
  const history = new History(clock, keeper, clock.monotonicMs() - process.uptime() * 1000);
  const { defaultTtlMs, maxTtlMs, apiToken, adminToken, allowedHosts } = config;
  const access = new Access(await loadTokens(apiToken, adminToken), new Hosts(allowedHosts));
  const metrics = createMetrics(keeper, clock, timeline, () => updates.status, () => windows?.status().isOpen ?? true, VERSION);

  const routes = routeTable({
    keeper,
    views,
    limits: { minTtlMs, defaultTtlMs, maxTtlMs },
    holds,
    events,
    history,
    whenPending: updates.whenPending,
    requestUpdate: updates.request,
    access,
    registry: metrics.registry,
    watchProblem: () => watch.problem(),
    version: VERSION,
  });
  metrics.expectRequests(routes);
  const probes = await loadProbes(parts, metrics.registry);

  const eventLog = new EventLog(log);
  feed.subscribe(eventLog.onEvent);
  feed.subscribe(metrics.onEvent);
  feed.subscribe(updates.onEvent);
  if (probes !== null) feed.subscribe((event) => { tellProbes(probes, event); });
  feed.subscribe(holds.onEvent);
  feed.subscribe(events.onEvent);
  feed.subscribe(history.onEvent);
  feed.open();

  const listeners = new Listeners(createApp({ routes, access, metrics, log }));
  await listeners.open(config);

  for (const warning of [...listeners.warnings, ...config.warnings]) log.warn(warning);
  for (const name of config.unknownVariables) log.warn(`${name} is not a setting of this version and has no effect`);
  if (!config.isOnDevice) {
    log.warn(`not on a balena device (BALENA_APP_LOCK_PATH is not set): nothing will read the lock in ${config.lockDirectory}`);
  }
  probes?.start();
  log.info('ready', { version: VERSION, directory: config.lockDirectory, listening: listeners.addresses });
  return {
    lookedAtLock: () => {
      updates.onLook();
      history.onLook();
      events.lockMayHaveChanged();
    },
    lockOpened: () => probes?.retry(),
    close: async () => {
      probes?.close();
      const closed = listeners.close();
      holds.close();
      events.close();
      await updates.close();
      await closed;
      eventLog.flush();
      log.info('stopped', { leases: keeper.leaseCount });
    },
  };
}

/** Tokens, and `node:crypto` with them, only where there are any: it takes a tenth of the start to load. */
async function loadTokens(apiToken: string | null, adminToken: string | null): Promise<Tokens | null> {
  if (apiToken === null && adminToken === null) return null;
  const { Tokens } = await import('./http/tokens');
  return new Tokens(apiToken, adminToken);
}

/** Probes, and what they need, only where there are any. */
async function loadProbes({ config, clock, keeper, feed }: ServiceParts, registry: Registry): Promise<Probes | null> {
  if (config.probes.length === 0) return null;
  const { Probes } = await import('./holders/probes/probes');
  if (config.probes.some(({ url }) => url.protocol === 'https:')) await loadTrustedCertificates();
  const probes = new Probes(config.probes, { clock, random: Math.random, keeper, emit: feed.emit });
  addProbeMetrics(registry, probes.all);
  return probes;
}

/**
 * Reads the certificates that TLS trusts. Node.js 24 reads those of `NODE_EXTRA_CA_CERTS` at the first use of TLS, when root's
 * rights have been dropped and the file may be out of reach.
 */
async function loadTrustedCertificates(): Promise<void> {
  (await import('node:tls')).createSecureContext();
}

function tellProbes(probes: Probes, event: SidecarEvent): void {
  if (event.type === 'lease-acquired' && event.recovered) probes.of(event.lease.name)?.onRecovered(event.lease.reason);
  if (event.type === 'lease-ended') probes.of(event.lease.name)?.onEnded(event.lease);
}
