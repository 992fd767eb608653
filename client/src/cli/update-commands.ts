import { EXIT } from './exits';
import { say } from './lease-commands';
import { textOf, sidecarOf, type Options } from './arguments';
import { print, printable } from './output';
import { parseDuration } from '../duration';
import { notConfiguredError } from '../errors/update-lock-error';
import type { Update } from '../types';
import { thingsThatAre } from './waiting-text';
import { UpdateLock } from '../update-lock';

/** Waits until an update is pending; the exit status says whether one is. */
export async function waitUpdate(options: Options): Promise<number> {
  const timeoutMs = parseDuration(textOf(options['timeout']) ?? Infinity) ?? Infinity;
  const lock = new UpdateLock(sidecarOf(options));
  if (timeoutMs === 0) return isPendingNow(options, lock);
  const ending = new AbortController();
  const timer = timeoutMs === Infinity ? undefined : setTimeout(() => { ending.abort(); }, Math.min(timeoutMs, MAX_TIMER_MS));
  try {
    report(options, await lock.whenUpdatePending({ signal: ending.signal }));
    return EXIT.ok;
  } catch (error) {
    if (!ending.signal.aborted) throw error;
    return EXIT.unavailable;
  } finally {
    clearTimeout(timer);
  }
}

/** A timeout of 0 asks whether an update waits now; the Supervisor has its usual time to answer. */
async function isPendingNow(options: Options, lock: UpdateLock): Promise<number> {
  const update = await lock.update();
  if (update.supervisor === 'not-configured') throw notConfiguredError();
  if (!update.pending) return EXIT.unavailable;
  report(options, update);
  return EXIT.ok;
}

/** The longest delay of a timer, 24 days, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Asks the Supervisor to try the update now. */
export async function requestUpdate(options: Options): Promise<number> {
  const update = await new UpdateLock(sidecarOf(options)).requestUpdate({ force: options['force'] === true });
  report(options, update);
  return EXIT.ok;
}

function report({ json }: Options, update: Update): void {
  if (json === true) print(`${JSON.stringify(update)}\n`);
  else if (update.pending) say(`${thingsThatAre(update)} pending${update.blockedBy.length === 0 ? '' : `, held back by ${printable(update.blockedBy.join(', '))}`}`);
  else say('no update is pending');
}

