import * as zlib from 'node:zlib';

/** What is wrong with this version of Node.js, null if nothing is. Nothing that is needed here came later than `zlib.crc32`. */
export function whyTooOld(): string | null {
  if ('crc32' in zlib) return null;
  return `Node.js ${process.versions.node} is too old; version 20 is needed from 20.15 on, or 22.2 or later`;
}
