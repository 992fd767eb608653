import { lstatSync } from 'node:fs';
import type { FileIdentity, Standing } from './classify';

export interface PathStanding {
  readonly path: string;
  readonly standing: Standing;
}

/** A regular file that is somebody else's. */
export interface OthersFile extends FileIdentity {
  readonly uid: number;
  readonly isEmpty: boolean;
  /** In milliseconds since the epoch. */
  readonly writtenAtWallMs: number;
}

export interface InspectedPath extends PathStanding {
  /** Null if it is ours, or nobody's, or no regular file, or cannot be looked at. */
  readonly file: OthersFile | null;
}

export function inspectPath({ path, standing }: PathStanding): InspectedPath {
  const isTheirs = standing !== 'ours' && standing !== 'absent';
  return { path, standing, file: isTheirs ? readFileFacts(path) : null };
}

function readFileFacts(path: string): OthersFile | null {
  try {
    const stats = lstatSync(path);
    if (!stats.isFile()) return null;
    const { dev, ino, uid, size, mtimeMs } = stats;
    return { dev, ino, uid, isEmpty: size === 0, writtenAtWallMs: mtimeMs };
  } catch {
    return null;
  }
}
