import { constants, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { FOLDER } from '../../sidecar/lock/folder';
import type { Operation } from './intercepted-files';

/** What an action changes, or looks at. */
export type Area = 'process' | 'names' | 'folder' | 'directory' | 'rights' | 'disk' | 'time';

const CHANGES = new Set(['mkdirSync', 'linkSync', 'unlinkSync', 'renameSync', 'rmSync', 'chmodSync', 'chownSync', 'fchmodSync', 'writeSync', 'ftruncateSync', 'flock', 'startGuard', 'endGuard']);
const NEEDS_SPACE = new Set(['mkdirSync', 'linkSync', 'writeSync', 'statfsSync', 'renameSync']);
const OF_OPEN_FILES = new Set(['fstatSync', 'fchmodSync', 'writeSync', 'readSync', 'ftruncateSync', 'closeSync', 'flock', 'startGuard', 'endGuard', 'findGuards']);
const IN_FOLDER = ['anchor', 'anchor.new', 'journal', 'journal.new', 'journal.unreadable', 'instance', FOLDER];

/** A file operation, with the names of the files that it is about. */
export interface Point {
  readonly name: string;
  readonly paths: readonly string[];
  readonly makesFile: boolean;
}

/** To be called before the operation, while a file that it is about is still open. */
export function pointOf({ name, args }: Operation): Point {
  const paths = OF_OPEN_FILES.has(name) ? [] : args.filter((arg) => typeof arg === 'string');
  const ofOpenFile = name === 'fstatSync' ? [readlinkSync(`/proc/self/fd/${String(args[0])}`).replace(' (deleted)', '')] : [];
  return { name, paths: [...paths, ...ofOpenFile], makesFile: name === 'openSync' && (Number(args[1]) & constants.O_CREAT) !== 0 };
}

/**
 * Whether it makes a difference that an action comes before this operation and not after it. Where it makes none, the two orders are one
 * interleaving, and only the later one is tried.
 */
export function matters({ name, paths, makesFile }: Point, area: Area): boolean {
  const files = paths.map((path) => basename(path));
  switch (area) {
    case 'process':
    case 'rights':
    case 'time':
      return CHANGES.has(name) || makesFile;
    case 'disk':
      return NEEDS_SPACE.has(name) || makesFile;
    case 'names':
      return name === 'readdirSync' || files.some((file) => file.endsWith('updates.lock') || (name === 'fstatSync' && file.startsWith('anchor')));
    case 'folder':
      return name === 'readdirSync' || files.some((file) => IN_FOLDER.includes(file) || file.startsWith('probe-'));
    case 'directory':
      // What goes by an open directory does not see that another has come to its path.
      return name !== 'fstatSync' && (paths.some((path) => !path.startsWith('/proc/')) || files.includes('lock'));
  }
}
