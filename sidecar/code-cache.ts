import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** V8's data follows two little-endian 32-bit numbers: a checksum of what it was made of and by, and that of the data. */
const HEADER_BYTES = 8;

/**
 * V8's code cache of a source, if there is one of just this source, made by this very build of Node.js. V8 itself compares
 * little more than lengths and versions, so it would run the code of another source, or what a worn-out card has made of
 * it. It sees for itself whether a cache is for its flags.
 */
export function readCodeCache(folder: string, source: Buffer): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(folder, 'sidecar.cache'));
  } catch {
    return undefined;
  }
  if (bytes.length <= HEADER_BYTES) return undefined;
  const data = bytes.subarray(HEADER_BYTES);
  return bytes.readUInt32LE(0) === originOf(source) && bytes.readUInt32LE(4) === crc32(data) ? data : undefined;
}

/** What is to be written there. */
export function withChecksums(source: Buffer, data: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(originOf(source), 0);
  header.writeUInt32LE(crc32(data), 4);
  return Buffer.concat([header, data]);
}

function originOf(source: Buffer): number {
  const { arch, config, version } = process;
  return crc32(`${version} ${arch} ${JSON.stringify(config.variables)}`, crc32(source));
}
