import type { Registry } from 'prom-client';
import { MIN_TTL_MS, type Config } from './config/config';
import type { Clock, Timeline } from '../server/clock';
import type { EventFeed } from './events/feed';
import type { Applying } from './gates/applying';
import { Deadline } from './gates/deadline';
import { History } from './events/history';
import { Access } from './http/access';
import { createApp } from '../server/http/app';
import { EventStreams } from './http/streams/event-streams';
import { HoldStreams } from './http/streams/hold-streams';
import { Hosts } from '../server/http/hosts';
import { Listeners } from '../server/http/listeners';
import { routeTable } from './http/route-table';
import { Views } from './http/views';
import type { Tokens } from './http/tokens';
import { toCheck, toWarning, type Checks } from '../server/checks';
import type { Allowances } from './holders/allowances';
import type { Fleet } from './holders/fleet/fleet';
import type { FleetHolder } from './holders/fleet/fleet-holder';
import type { OverrideHolder } from './holders/override/override-holder';
import type { SoakHolder } from './holders/soak/soak-holder';
import type { TagsHolder } from './holders/tags/tags-holder';
import type { Probes } from './holders/probes/probes';
import type { WindowHolder } from './holders/windows/window-holder';
import type { Keeper } from './keeper/keeper';
import { addLockChecks } from './keeper/lock-checks';
import type { LeasePolicies } from './leases/policies';
import type { LockWatch } from './lock/watch';
import { createLog } from '../server/log';
import { EventLog } from './events/event-log';
import { createMetrics } from './metrics/metrics';
import { addDeviceMetrics } from './metrics/device-metrics';
import { FleetMetrics } from './metrics/fleet-metrics';
import { addOverrideMetrics } from './metrics/override-metrics';
import { addProbeMetrics } from './metrics/probe-metrics';
import type { Parts } from './parts';
import type { StateDirectory } from './state/state-directory';
import { AfterUpdate } from './supervisor/after-update';
import { NoUpdates } from './supervisor/no-updates';
import { ownPath } from './supervisor/reboot-status';
import { SummaryTag } from './supervisor/summary-tag';
import { SupervisorApi } from './supervisor/supervisor-api';
import { whyTooOld } from './supervisor/supervisor-version';
import { TagReader } from './supervisor/tag-reader';
import { TargetWatch } from './supervisor/target-watch';
import { ThisDevice } from './supervisor/this-device';
import { Updates } from './supervisor/updates';
import { VERSION } from '../server/version';

const HOST_REBOOTS = 'Reboots for updates of the host OS are not held back: where Helios is alone, the host does not look at this lock';
const NO_SOAK = "Releases do not soak: UPDATE_LOCK_SOAK needs the Supervisor's API, which names the release that the device is to have.";

const NO_HEALTH = 'Without UPDATE_LOCK_FLEET_HEALTH a turn is given back as soon as all containers run, well or not';
const NO_REBOOTS = 'With UPDATE_LOCK_HOST_POLL=off nobody knows that a reboot of the host OS waits, so it gets no turn';

export interface ServiceContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly feed: EventFeed;
  /** The parts made here are added to these. */
  readonly parts: Parts;
  readonly policies: LeasePolicies;
  readonly checks: Checks;
  readonly allowances: Allowances;
  readonly state: StateDirectory;
  readonly applying: Applying;
  readonly keeper: Keeper;
  readonly override: OverrideHolder;
  readonly windows: WindowHolder;
  /** Null if no tags steer. */
  readonly tags: TagsHolder | null;
  /** Null if no release has to soak, or none could be told from another. */
  readonly soak: SoakHolder | null;
  /** Null where no turns are taken. */
  readonly fleetHolder: FleetHolder | null;
  /** The id of this boot. */
  readonly boot: string;
  readonly watch: LockWatch;
}

/**
 * Starts the parts that can wait until the lock is held: log, metrics, the Supervisor and HTTP, which take longer to load than all
 * others together.
 * @throws ListenError if a listener that was asked for cannot be had
 */
export async function startService(context: ServiceContext): Promise<void> {
  const { config, clock, timeline, parts, keeper, windows, tags, soak, override, policies, allowances, watch, checks, state, applying } = context;
  state.tryWriting();
  const log = createLog(config);
  parts.add(new EventLog(log, () => keeper.leaseCount));
  const updates = parts.add(makeUpdates(context));
  if (updates instanceof Updates) parts.add(new AfterUpdate(applying, updates));
  if (updates instanceof Updates && soak !== null) parts.add(new TargetWatch(updates, (news) => { soak.receive(news); }));
  if (config.soakMs > 0) checks.add(() => toCheck('soak', soak === null ? NO_SOAK : soak.problem(), 'Releases have to soak.'));
  const deadline = makeDeadline(context, updates);
  const fleet = await makeFleet(context, updates, deadline);
  const nowMs = (): number => clock.monotonicMs();
  const device = parts.add(makeDevice(context));
  const views = new Views({ timeline, nowMs, keeper, updates, deadline, windows, tags, override, device, fleet, allowances, policies });
  addTags(context, views);
  const history = parts.add(new History(clock));
  const metrics = createMetrics(keeper, clock, timeline, () => updates.status, () => windows.status()?.isOpen ?? true, VERSION);
  parts.add(metrics);
  addOverrideMetrics(metrics.registry, override);
  addDeviceMetrics(metrics.registry, device);
  if (fleet !== null) parts.add(new FleetMetrics(metrics.registry, () => fleet.status, (ms) => timeline.toWallMs(ms)));
  const probes = await makeProbes(context, metrics.registry);
  const holds = parts.add(new HoldStreams(keeper, views));
  const events = parts.add(new EventStreams(keeper, views));

  const { defaultTtlMs, maxTtlMs, apiToken, adminToken, allowedHosts } = config;
  const access = new Access(await loadTokens(apiToken, adminToken), new Hosts(allowedHosts));
  addLockChecks(checks, keeper);
  if (config.isHeliosAlone) checks.add(() => toWarning('host-reboots', HOST_REBOOTS, ''));
  checks.add(() => toCheck('watch', watch.problem(), 'The lock directory is watched.'));
  const routes = routeTable({
    keeper,
    views,
    limits: { minTtlMs: MIN_TTL_MS, defaultTtlMs, maxTtlMs },
    holds,
    events,
    history,
    updates,
    override,
    access,
    registry: metrics.registry,
    checks,
    version: VERSION,
  });
  metrics.expectRequests(routes);
  // A timer may be late, and setting the wall clock causes no event.
  const beforeRead = (): void => {
    keeper.tick();
    override.look();
    tags?.look();
    soak?.look();
    windows.look();
  };
  const listeners = parts.add(new Listeners(createApp({ routes, access, metrics, log, beforeRead })));
  await listeners.open({ ...config, portRemedy: 'UPDATE_LOCK_PORT can be another port, or off', socketRemedy: 'UPDATE_LOCK_SOCKET can be another path, or off' });

  for (const warning of [...listeners.warnings, ...config.warnings]) log.warn(warning);
  const stateProblem = state.problem();
  if (stateProblem !== null) log.warn(stateProblem);
  if (!config.isOnDevice) {
    log.warn(`not on a balena device (BALENA_APP_LOCK_PATH is not set): nothing will read the lock in ${config.lockDirectory}`);
  }
  probes?.start();
  log.info('ready', { version: VERSION, directory: config.lockDirectory, listening: listeners.addresses });
}

function makeUpdates({ config, clock, keeper, feed, soak, fleetHolder }: ServiceContext): Updates | NoUpdates {
  const { supervisor, supervisorPollMs, hostPollMs, appId, serviceName } = config;
  if (supervisor === null) return new NoUpdates(feed.emit);
  const isOurLock = ownPath(appId, serviceName);
  const isWanted = (runs: string | null): boolean => soak?.isTargetWanted(runs) ?? false;
  const targetWish = soak === null && fleetHolder === null ? null : { appId, isWanted };
  return new Updates({ address: supervisor, pollMs: supervisorPollMs, hostPollMs, isOurLock, targetWish, clock, random: Math.random, keeper, emit: feed.emit });
}

function makeDevice({ config, feed }: ServiceContext): ThisDevice {
  const { supervisor, device } = config;
  return new ThisDevice({ ...device, api: supervisor === null ? null : new SupervisorApi(supervisor), emit: feed.emit });
}

/** Writes and reads the tags of the device, if that is wanted. */
function addTags({ config, clock, feed, parts, checks, tags, state }: ServiceContext, views: Views): void {
  const { tagName: name, supervisor, tagsPollMs: pollMs, hasReasonsInTag } = config;
  if (tags === null || name === null || supervisor === null) return;
  const { emit } = feed;
  const api = new SupervisorApi(supervisor);
  parts.add(new SummaryTag({ name, api, clock, text: () => views.steadySummary(hasReasonsInTag), isUrgent: () => views.isHeldBack(), state, emit }));
  parts.add(new TagReader({ api, pollMs, random: Math.random, onTags: (all) => { tags.receive(all); }, emit }));
  checks.add(() => toWarning('tags', tags.problem(), tags.inForce()));
}

/** Without the Supervisor's API no update is known to wait, so there is no deadline. */
function makeDeadline({ config, clock, keeper, policies, parts, feed, fleetHolder }: ServiceContext, updates: Updates | NoUpdates): Deadline | null {
  const { deadlineMs, deadlineGraceMs: graceMs, restartGraceMs } = config;
  if (deadlineMs === null || updates instanceof NoUpdates) return null;
  const mayDrain = (): boolean => fleetHolder?.isHeld !== true;
  const deadline = parts.add(new Deadline({ clock, deadlineMs, graceMs, restartGraceMs, keeper, policies, mayDrain, updates, emit: feed.emit }));
  keeper.addGate(deadline.gate);
  return deadline;
}

/** Loads what asks for turns only in a fleet that takes them. Without the Supervisor's API nothing is known to wait for a turn. */
async function makeFleet(context: ServiceContext, updates: Updates | NoUpdates, deadline: Deadline | null): Promise<Fleet | null> {
  const { config, clock, boot, feed, parts, checks, keeper, policies, allowances, fleetHolder: holder } = context;
  const { fleet: settings, supervisor, appId } = config;
  if (settings === null) return null;
  if (holder === null || supervisor === null || updates instanceof NoUpdates) {
    checks.add(() => toCheck('fleet', "Turns of a fleet need the Supervisor's API, so the lock is not held for want of a turn", ''));
    return null;
  }
  const [{ Fleet }, { FleetServer }, { readDeviceHealth }] = await Promise.all([
    import('./holders/fleet/fleet'), import('./holders/fleet/fleet-server'), import('./holders/fleet/device-health'),
  ]);
  const { token, ca, healthUrl } = settings;
  const warnings = [...(config.hostPollMs === null ? [NO_REBOOTS] : []), ...(healthUrl === null ? [NO_HEALTH] : [])];
  const warning = warnings.length === 0 ? null : warnings.join('. ');
  await loadTrustedCertificates();
  const api = new SupervisorApi(supervisor);
  const versions = () => {
    const { target, runs, os } = updates.release;
    return { target: target?.ok === true ? target.commit : null, runs, os };
  };
  const isOnline = async (): Promise<boolean> => {
    const tags = await api.readTags();
    return tags.ok || tags.isUnknown;
  };
  const read = () => readDeviceHealth({
    isUpdating: () => keeper.isUpdating, readUpdates: () => updates.readNow(), readContainers: () => api.readContainers(appId), healthUrl,
  });
  const server = new FleetServer({ token, instance: holder.instance, ca });
  const fleet = parts.add(new Fleet({
    clock, random: Math.random, boot, settings, holder, server, keeper, policies, allowances, updates, versions, tooOld: () => whyTooOld(updates.release.version), deadline, isOnline, read, emit: feed.emit,
  }));
  checks.add(() => (fleet.problem === null ? toWarning('fleet', warning, 'Updates need a turn of the fleet') : toCheck('fleet', fleet.problem, '')));
  return fleet;
}

/** Loads tokens, and `node:crypto` with them, only if there are any: that takes a tenth of the start. */
async function loadTokens(apiToken: string | null, adminToken: string | null): Promise<Tokens | null> {
  if (apiToken === null && adminToken === null) return null;
  const { Tokens } = await import('./http/tokens');
  return new Tokens(apiToken, adminToken);
}

/** Loads probes only if there are any. */
async function makeProbes({ config, clock, keeper, feed, parts }: ServiceContext, registry: Registry): Promise<Probes | null> {
  if (config.probes.length === 0) return null;
  const { Probes } = await import('./holders/probes/probes');
  if (config.probes.some(({ url }) => url.protocol === 'https:')) await loadTrustedCertificates();
  const probes = parts.add(new Probes(config.probes, { clock, random: Math.random, keeper, emit: feed.emit }));
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
