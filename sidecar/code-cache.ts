import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** V8's data follows two little-endian 32-bit numbers: the checksum of the source and that of the data. */
const HEADER_BYTES = 8;

/** Where the code cache is looked for: each Node.js has its own. */
export function codeCachePath(folder: string): string {
  return join(folder, `sidecar.${process.version}-${process.arch}.cache`);
}

/**
 * V8's code cache of a source, if there is one of just this source. V8 itself compares no more than lengths, so it would
 * run the code of another source, or what a worn-out card has made of it. It sees for itself whether a cache is for its
 * version and its flags.
 */
export function readCodeCache(folder: string, source: Buffer): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(codeCachePath(folder));
  } catch {
    return undefined;
  }
  if (bytes.length <= HEADER_BYTES) return undefined;
  const data = bytes.subarray(HEADER_BYTES);
  return bytes.readUInt32LE(0) === crc32(source) && bytes.readUInt32LE(4) === crc32(data) ? data : undefined;
}

/** What is to be written there. */
export function withChecksums(source: Buffer, data: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(crc32(source), 0);
  header.writeUInt32LE(crc32(data), 4);
  return Buffer.concat([header, data]);
}
