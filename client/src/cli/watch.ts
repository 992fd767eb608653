import { eventText } from './event-text';
import { timeStamp } from './moments';
import { sidecarOf, type Options } from './arguments';
import { print, tell } from './output';
import { statusNow } from './status';
import { canRedraw } from './terminal';
import { isPassing } from '../persist';
import type { LockEvent } from '../types';
import { UpdateLock } from '../update-lock';

/** Moves to the top left corner and clears what is below. */
const CLEAR = '\x1b[H\x1b[2J';

/** Shows the lock whenever it changes, until it is interrupted. */
export async function watch(options: Options): Promise<never> {
  const lock = new UpdateLock(sidecarOf(options));
  const show = options['json'] === true ? showDocument : canRedraw() ? showStatus : showLine;
  let isLost = false;
  const onConnection = (error: Error | null): void => {
    if (error !== null && !isLost) tell(`the sidecar at ${lock.url} does not answer; looking for it`);
    if (error === null && isLost) tell('the sidecar is back');
    isLost = error !== null;
  };
  for await (const event of lock.events({ onConnection })) await show(event, lock);
  // The events end only by an interrupt.
  throw new Error('the events have ended');
}

function showDocument(event: LockEvent): void {
  print(`${JSON.stringify(event)}\n`);
}

function showLine(event: LockEvent): void {
  print(`${timeStamp(Date.now())}  ${eventText(event)}\n`);
}

/** The text of `status`. */
async function showStatus(_event: LockEvent, lock: UpdateLock): Promise<void> {
  try {
    print(CLEAR + statusNow(await lock.status()));
  } catch (error) {
    // The events report this, and begin anew when the sidecar is back.
    if (!isPassing(error)) throw error;
  }
}
