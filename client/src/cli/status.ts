import { isTerminal, wantsColour } from './terminal';
import { EXIT } from './exits';
import { urlOf, type Options } from './options';
import { print } from './output';
import { statusText } from './status-text';
import { UpdateLock } from '../update-lock';

/** Who holds back updates, why and until when. */
export async function status(options: Options): Promise<number> {
  const lock = await new UpdateLock(urlOf(options)).status();
  if (options['json'] === true) {
    print(`${JSON.stringify(lock)}\n`);
    return EXIT.ok;
  }
  const columns = isTerminal(1) ? process.stdout.columns : null;
  print(`${statusText(lock, { nowMs: Date.now(), columns, hasColour: wantsColour() }).join('\n')}\n`);
  return EXIT.ok;
}
