import { dirname } from 'node:path';
import { messageOf } from '../server/text';
import { systemClock, readBootId, Timeline } from '../server/clock';
import { readConfig, type Config } from './config/config';
import { EventFeed } from './events/feed';
import { Applying } from './gates/applying';
import { lostCooldown } from './gates/lost-cooldown';
import { Checks, toWarning } from '../server/checks';
import { Allowances } from './holders/allowances';
import { FleetHolder } from './holders/fleet/fleet-holder';
import { FormerHolders } from './holders/former-holders';
import { leaseOfProbe, policyOfProbe } from './holders/probes/probe-settings';
import { OverrideHolder } from './holders/override/override-holder';
import { SoakHolder } from './holders/soak/soak-holder';
import { StartHolder } from './holders/start-holder';
import { TagsHolder } from './holders/tags/tags-holder';
import { WindowHolder } from './holders/windows/window-holder';
import { Keeper } from './keeper/keeper';
import { LeasePolicies } from './leases/policies';
import { SUPERVISOR_UID } from './lock/classify';
import { isFlocked } from './lock/is-flocked';
import { LockUser } from './lock/lock-user';
import { openStore } from './keeper/open-store';
import { LockWatch } from './lock/watch';
import { Parts } from './parts';
import { whyTooOld } from '../server/node-version';
import { StateDirectory } from './state/state-directory';

/** Exit statuses, of `sysexits.h` where it has one. */
const EXIT_UNAVAILABLE = 69;
const EXIT_IN_USE = 75;
const EXIT_CONFIG = 78;

/** A stop takes at most this long, in milliseconds. */
const STOP_WITHIN_MS = 4000;

/** Reads the settings, takes up the lock, and only then loads and starts everything else. */
async function main(): Promise<void> {
  const config = readSettings();
  // Nothing below has a relative path, and a current directory may be deleted under us.
  process.chdir('/');
  const { lockDirectory, legacyLockPath } = config;
  const clock = systemClock;
  const timeline = new Timeline(clock);
  const feed = new EventFeed();
  feed.emit({ type: 'started', atMs: clock.monotonicMs() - process.uptime() * 1000 });
  const parts = new Parts(feed);
  const policies = new LeasePolicies();
  const user = LockUser.detect();
  const boot = readBootId();
  const state = parts.add(new StateDirectory(config.stateDirectory, feed.emit, user));
  const keeper = parts.add(new Keeper({
    clock,
    timeline,
    emit: feed.emit,
    openStore: () => openStore({ directory: lockDirectory, legacyPath: legacyLockPath }, user, { boot, nowMs: clock.monotonicMs() }),
    isFlocked: (path, file) => isFlocked(path, file, user),
    defaultTtlMs: config.defaultTtlMs,
    maxLeases: config.maxLeases,
    restartGraceMs: config.restartGraceMs,
    whereToAsk: whereToAsk(config),
  }));
  const applying = parts.add(new Applying({ clock, boot, state, keeper, hasApi: config.supervisor !== null, emit: feed.emit }));
  keeper.addGate(applying.gate);
  keeper.addGate(lostCooldown(config.lostCooldownMs));
  parts.add(new StartHolder(clock, keeper, policies, config.holdOnStartMs));
  const checks = new Checks();
  const allowances = new Allowances();
  checks.add(() => toWarning('state', state.problem(), 'What has to outlive a reboot is kept.'));
  const override = parts.add(new OverrideHolder({ clock, keeper, policies, allowances, state, emit: feed.emit }));
  const windows = parts.add(new WindowHolder(clock, keeper, policies, allowances, config.times, feed.emit));
  const tags = config.tagName === null || config.supervisor === null ? null : parts.add(new TagsHolder({
    prefix: config.tagName, clock, keeper, policies, allowances, state, windows, times: config.times, emit: feed.emit,
  }));
  const soak = config.soakMs === 0 || config.supervisor === null ? null : parts.add(new SoakHolder({
    requiredMs: config.soakMs, clock, boot, keeper, policies, allowances, state, emit: feed.emit,
  }));
  // Helios alone does not tell whether anything waits.
  const hasFleet = config.fleet !== null && config.supervisor?.isHeliosAlone === false;
  const fleetHolder = !hasFleet ? null : parts.add(new FleetHolder({ keeper, policies, allowances, state }));
  // The probes are loaded later; until then nobody may end the leases that they held in a former process.
  for (const { name } of config.probes) policies.register(leaseOfProbe(name), policyOfProbe(name));
  parts.add(new FormerHolders(keeper, policies));
  stopOnSignals(() => {
    user.regainPrivileges();
    keeper.stop(config.releaseOnStop);
    return parts.close();
  });

  // As the lock's user throughout, rather than for each look and link by itself: a change of user is a signal to every thread.
  if (user.act(() => keeper.open()) === 'in-use') {
    exit(EXIT_IN_USE, [`another sidecar serves ${lockDirectory}; two cannot share a lock directory (UPDATE_LOCK_DIR)`]);
  }
  const directories = [lockDirectory, ...(legacyLockPath === null ? [] : [dirname(legacyLockPath)])];
  const watch = parts.add(new LockWatch(directories, user, () => { keeper.look(); }));

  const { startService } = await import('./service');
  try {
    await startService({ config, clock, timeline, feed, parts, policies, checks, allowances, state, applying, keeper, override, windows, tags, soak, fleetHolder, boot, watch });
    feed.startIsOver();
  } catch (error) {
    keeper.close();
    exit(EXIT_UNAVAILABLE, [messageOf(error)]);
  }
  // What is left for root is done at the start and the end. Without a lock directory there is no such user yet.
  if (keeper.isLockUsers) user.dropPrivileges();
}

/** The first signal ends us in good order, within a few seconds; a second one ends us at once. */
function stopOnSignals(stop: () => Promise<void>): void {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref();
      void stop().finally(() => process.exit(0));
    });
  }
}

function readSettings(): Config {
  const tooOld = whyTooOld();
  if (tooOld !== null) exit(EXIT_CONFIG, [tooOld]);
  if (process.geteuid?.() === SUPERVISOR_UID) {
    exit(EXIT_CONFIG, [
      `this process runs as uid ${String(SUPERVISOR_UID)}; the balena Supervisor takes that user's lock files for its own and deletes them. Run it as root`,
    ]);
  }
  const result = readConfig(process.env, process.stdout.isTTY);
  if (!result.ok) exit(EXIT_CONFIG, result.mistakes);
  return result.config;
}

/** A command that shows more, for people who look at the lock file. */
/** For curl. The default socket is not named, since the sidecar also starts where it cannot be made. */
function whereToAsk({ socketPath, isSocketRequired, port, isOnDevice, serviceName }: Config): string {
  if (socketPath !== null && (isSocketRequired || port === null)) return `--unix-socket ${socketPath} http://localhost`;
  return `http://${isOnDevice ? (serviceName ?? 'update-lock') : 'localhost'}:${String(port)}`;
}

function exit(status: number, reasons: readonly string[]): never {
  for (const reason of reasons) process.stderr.write(`update-lock: ${reason}\n`);
  process.exit(status);
}

void main();
