import { setFlagsFromString } from 'node:v8';

/**
 * V8 marks a heap bit by bit, on four threads, and seconds after there was last something to do it begins of its own
 * accord: an idle process that wakes up some sixty times. A heap as small as ours is marked at one go in
 * milliseconds. To be called before all else: such a flag may only be set while V8 is not yet marking. A V8 that does
 * not know it takes no notice.
 */
export function markAtOneGo(): void {
  setFlagsFromString('--no-incremental-marking');
}
