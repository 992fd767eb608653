import { dirname } from 'node:path';
import { systemClock, readBootId, Timeline } from './clock';
import { MIN_TTL_MS, readConfig, type Config } from './config';
import { markAtOneGo, whyTooOld } from './engine';
import { lostCooldown } from './gates/lost-cooldown';
import { EventFeed } from './event-feed';
import { holdOnStart } from './holders/start';
import { disown } from './holders/wanted-lease';
import { WindowHolder } from './holders/windows/window-holder';
import { Keeper } from './keeper/keeper';
import { SUPERVISOR_UID } from './lock/classify';
import { Owner } from './lock/owner';
import { openStore } from './lock/store';
import { LockWatch } from './lock/watch';
import type { Gate } from './leases/gate';
import { probeLease, WINDOW_LEASE } from './leases/lease';
import type { Service } from './service';

/** Exit statuses, of `sysexits.h` where it has one. */
const EXIT_UNAVAILABLE = 69;
const EXIT_IN_USE = 75;
const EXIT_CONFIG = 78;

/** A stop takes at most this long, in milliseconds. */
const STOP_WITHIN_MS = 4000;

/** Reads the settings, takes up the lock, and only then loads and starts everything else. */
async function main(): Promise<void> {
  markAtOneGo();
  const config = readSettings();
  // Nothing below has a relative path, and a current directory may be deleted under us.
  process.chdir('/');
  const { lockDirectory, legacyLockPath } = config;
  const timeline = new Timeline(systemClock);
  const feed = new EventFeed();
  const owner = Owner.detect();
  const boot = readBootId();
  const gates: Gate[] = [lostCooldown(config.lostCooldownMs)];
  const keeper = new Keeper({
    clock: systemClock,
    timeline,
    emit: feed.emit,
    gates,
    openStore: () => openStore({ directory: lockDirectory, legacyPath: legacyLockPath }, owner, { boot, nowMs: systemClock.monotonicMs() }),
    defaultTtlMs: config.defaultTtlMs,
    maxLeases: config.maxLeases,
    restartGraceMs: config.restartGraceMs,
    whereToAsk: whereToAsk(config),
    onOpen: () => {
      holdOnStart(keeper, config.holdOnStartMs);
      windows?.check();
      // After those: what is wanted now takes over from what was, without a gap.
      disown(keeper, ownLeases);
      service?.lockOpened();
      watch.lookSoon();
    },
  });
  const windows = config.schedule === null ? null : new WindowHolder(systemClock, keeper, config.schedule, feed.emit);
  const ownLeases = new Set([...(windows === null ? [] : [WINDOW_LEASE]), ...config.probes.map(({ name }) => probeLease(name))]);
  feed.subscribe((event) => {
    if (event.type === 'lease-ended' && event.lease.name === WINDOW_LEASE) windows?.onEnded();
  });
  const directories = [lockDirectory, ...(legacyLockPath === null ? [] : [dirname(legacyLockPath)])];
  const watch = new LockWatch(directories, owner, () => {
    keeper.check();
    service?.lookedAtLock();
  });
  let service: Service | undefined;
  stopOnSignals(() => {
    owner.resign();
    watch.close();
    windows?.close();
    keeper.stop(config.releaseOnStop);
    return service?.close();
  });

  // As the owner throughout, rather than for each look and link by itself: a change of user is a signal to every thread.
  if (owner.act(() => keeper.open()) === 'in-use') {
    exit(EXIT_IN_USE, [`another sidecar serves ${lockDirectory}; two cannot share a lock directory`]);
  }
  watch.start();

  const { startService } = await import('./service');
  try {
    service = await startService({ config, clock: systemClock, timeline, keeper, gates, windows, feed, watch, minTtlMs: MIN_TTL_MS });
    // What the watch has seen until now nobody was there to be told of.
    service.lookedAtLock();
  } catch (error) {
    keeper.stop(false);
    exit(EXIT_UNAVAILABLE, [error instanceof Error ? error.message : String(error)]);
  }
  // What is left for root is done at the start and the end. Without a lock directory there is no owner yet.
  if (keeper.isOwners) owner.become();
}

/** The first signal ends us in good order, within a few seconds; a second one ends us at once. */
function stopOnSignals(stop: () => Promise<void> | undefined): void {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref();
      void Promise.resolve(stop()).finally(() => process.exit(0));
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

/** The command that the lock file shows to whoever looks at it. */
function whereToAsk({ socketPath, port }: Config): string {
  return socketPath === null
    ? `curl http://<this service>:${String(port)}/v1/lock`
    : `curl --unix-socket ${socketPath} http://localhost/v1/lock`;
}

function exit(status: number, reasons: readonly string[]): never {
  for (const reason of reasons) process.stderr.write(`update-lock: ${reason}\n`);
  process.exit(status);
}

void main();
