import { isTerminal, wantsColour } from './terminal';
import { urlOf, type Options } from './arguments';
import { EXIT } from './exits';
import { print } from './output';
import { statusText } from './status-text';
import type { LockStatus } from '../types';
import { UpdateLock } from '../update-lock';

/** Prints who holds back updates, why and until when. */
export async function status(options: Options): Promise<number> {
  const lock = await new UpdateLock(urlOf(options)).status();
  print(options['json'] === true ? `${JSON.stringify(lock)}\n` : statusNow(lock));
  return EXIT.ok;
}

/** The text for people, in the style of the terminal or file that it is printed to. */
export function statusNow(lock: LockStatus): string {
  const columns = isTerminal(1) ? process.stdout.columns : null;
  return `${statusText(lock, { nowMs: Date.now(), columns, hasColour: wantsColour() }).join('\n')}\n`;
}
