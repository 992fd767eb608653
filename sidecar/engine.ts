import { setFlagsFromString } from 'node:v8';
import * as zlib from 'node:zlib';

/** What is wrong with this version of Node.js, null if nothing is. Nothing that the sidecar needs came later than `zlib.crc32`. */
export function whyTooOld(): string | null {
  if ('crc32' in zlib) return null;
  return `Node.js ${process.versions.node} is too old; version 20 is needed from 20.15 on, or 22.2 or later`;
}

/**
 * V8 marks a heap bit by bit, on four threads, and seconds after there was last something to do it begins of its own
 * accord: an idle process that wakes up some sixty times. A heap as small as ours is marked at one go in
 * milliseconds. To be called before all else: such a flag may only be set while V8 is not yet marking. A V8 that does
 * not know it takes no notice.
 */
export function markAtOneGo(): void {
  setFlagsFromString('--no-incremental-marking');
}
