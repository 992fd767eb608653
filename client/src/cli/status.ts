import { isTerminal, wantsColour } from './terminal';
import { sidecarOf, type Options } from './arguments';
import { EXIT } from './exits';
import { print } from './output';
import { statusText } from './status-text';
import type { LockStatus } from '../types';
import { UpdateLock } from '../update-lock';

/** The states of the lock in which no update can begin. */
const HOLDS_BACK: ReadonlySet<string> = new Set<LockStatus['state']>(['held', 'foreign']);

/** Prints who holds back updates, why and until when. */
export async function status(options: Options): Promise<number> {
  const lock = await new UpdateLock(sidecarOf(options)).status();
  print(options['json'] === true ? `${JSON.stringify(lock)}\n` : statusNow(lock));
  return options['check'] === true && HOLDS_BACK.has(lock.state) ? EXIT.heldBack : EXIT.ok;
}

/** The text for people, in the style of the terminal or file that it is printed to. */
export function statusNow(lock: LockStatus): string {
  // A terminal that does not know its width says 0.
  const columns = isTerminal(1) && process.stdout.columns > 0 ? process.stdout.columns : null;
  return `${statusText(lock, { nowMs: Date.now(), columns, hasColour: wantsColour() }).join('\n')}\n`;
}
