import { whyTooOld } from '../server/node-version';
import { messageOf } from '../server/text';
import { readConfig, type Config } from './config/config';
import { openStore } from './store/open-store';
import { FolderInUse } from './store/file/file-store';
import type { Store } from './store/store';

/** Exit statuses, of `sysexits.h` where it has one. */
const EXIT_UNAVAILABLE = 69;
const EXIT_IN_USE = 75;
const EXIT_CONFIG = 78;

/** A stop takes at most this long, in milliseconds. */
const STOP_WITHIN_MS = 4000;

/** Reads the settings, opens the store, and serves it. */
async function main(): Promise<void> {
  const tooOld = whyTooOld();
  if (tooOld !== null) exit(EXIT_CONFIG, [tooOld]);
  const result = readConfig(process.env, process.stdout.isTTY);
  if (!result.ok) exit(EXIT_CONFIG, result.mistakes);
  const store = await open(result.config);
  const { startService } = await import('./service');
  try {
    stopOnSignals(await startService(result.config, store));
  } catch (error) {
    exit(EXIT_UNAVAILABLE, [messageOf(error)]);
  }
}

async function open({ store }: Config): Promise<Store> {
  try {
    return await openStore(store, () => Date.now());
  } catch (error) {
    exit(error instanceof FolderInUse ? EXIT_IN_USE : EXIT_UNAVAILABLE, [`COORDINATOR_STORE: ${messageOf(error)}`]);
  }
}

/** The first signal ends the process in good order, within a few seconds; a second one ends it at once. */
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

/** The log may not exist yet, so this is for people. */
function exit(status: number, messages: readonly string[]): never {
  for (const message of messages) process.stderr.write(`update-lock-coordinator: ${message}\n`);
  process.exit(status);
}

void main();
