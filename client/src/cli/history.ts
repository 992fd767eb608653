import { sidecarOf, type Options } from './arguments';
import { EXIT } from './exits';
import { timeStamp } from './moments';
import { print, printable } from './output';
import type { HistoryEntry } from '../types';
import { UpdateLock } from '../update-lock';

/** Prints what has happened lately, newest first. */
export async function history(options: Options): Promise<number> {
  const events = await new UpdateLock(sidecarOf(options)).history();
  print(options['json'] === true ? `${JSON.stringify({ events })}\n` : events.map((entry) => `${historyLine(entry)}\n`).join(''));
  return EXIT.ok;
}

function historyLine({ at, name, text, detail }: HistoryEntry): string {
  const sentence = [...(name === null ? [] : [name]), text, ...(detail === '' ? [] : [`(${detail})`])].join(' ');
  return `${timeStamp(at)}  ${printable(sentence)}`;
}
