import { crc32 } from 'node:zlib';
import type { EndedLease, Lease } from '../leases/lease';
import type { UpdateNote } from '../leases/waiting';
import { parseHeader, parseLease } from './parse-record';

/**
 * The length of every line of the journal, its line feed included: as much as the longest lease needs (a reason of
 * control characters, each six bytes of JSON), and a divisor of the page size, since the kernel writes a page whole or
 * not at all, whenever we are killed.
 */
export const RECORD_BYTES = 2048;

/** The version of the form of a record. Records of version 1 have no version, and their leases have no ids. */
const VERSION = 2;

/** What the journal keeps for a boot beside leases. */
export interface Header {
  /** When the lock was last lost, null for never. */
  readonly lostAtMs: number | null;
  /** Wall time minus monotonic time, as times were shown; null if that is not known. */
  readonly wallOffsetMs: number | null;
  /** Whether the hold of the start has been taken, or was not wanted, in this boot. */
  readonly isStartOver: boolean;
  /** What is known of an update that waits; null if none does, as far as is known. */
  readonly update: UpdateNote | null;
}

export type JournalRecord =
  | { readonly kind: 'header'; readonly header: Header }
  | { readonly kind: 'lease'; readonly lease: Lease | EndedLease };

export type DecodedLine =
  | { readonly kind: 'record'; readonly record: JournalRecord; readonly isOutdated: boolean }
  /** Empty, or of another boot. */
  | { readonly kind: 'void' }
  /** The line was not written whole. */
  | { readonly kind: 'damaged' }
  /** Written whole, but not to be understood; with the reason for people. */
  | { readonly kind: 'unknown'; readonly problem: string };

/** The boot whose records count, and the present time of the monotonic clock: nothing can have happened later. */
export interface Present {
  readonly boot: string;
  readonly nowMs: number;
}

/** A line of the journal: a checksum and JSON, filled up with spaces. Every line names the boot it belongs to. */
export function encodeRecord(record: JournalRecord, boot: string, into: Buffer): void {
  const json = JSON.stringify({ version: VERSION, boot, ...record });
  const line = `${checksum(json)} ${json}`;
  // The last byte is the line feed's.
  if (Buffer.byteLength(line) >= RECORD_BYTES) throw new Error('a journal record is too long');
  into.fill(0x20, into.write(line));
  into[RECORD_BYTES - 1] = 0x0a;
}

/** What a line says. Its checksum tells that a sidecar has written it, perhaps one of another version, or one with a mistake. */
export function decodeLine(line: string, { boot, nowMs }: Present): DecodedLine {
  if (/^[\s\0]*$/.test(line)) return { kind: 'void' };
  const trimmed = line.trimEnd();
  const json = trimmed.slice(9);
  if (trimmed.charAt(8) !== ' ' || trimmed.slice(0, 8) !== checksum(json)) return { kind: 'damaged' };
  const fields = parseJson(json);
  if (fields === null) return { kind: 'unknown', problem: 'not a record' };
  if (fields['boot'] !== boot) return { kind: 'void' };
  const { version = 1 } = fields;
  if (version !== 1 && version !== VERSION) return { kind: 'unknown', problem: `of version ${JSON.stringify(version)}, this is version ${String(VERSION)}` };
  const record = parseRecord(fields, version, nowMs);
  return record === null ? { kind: 'unknown', problem: 'not a record of its version' } : { kind: 'record', record, isOutdated: version !== VERSION };
}

function parseRecord(fields: Readonly<Record<string, unknown>>, version: 1 | typeof VERSION, nowMs: number): JournalRecord | null {
  switch (fields['kind']) {
    case 'header': {
      const header = parseHeader(fields['header'], nowMs);
      return header && { kind: 'header', header };
    }
    case 'lease': {
      const lease = parseLease(fields['lease'], nowMs, version === 1);
      return lease && { kind: 'lease', lease };
    }
    default:
      return null;
  }
}

function parseJson(json: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(json);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function isEnded(lease: Lease | EndedLease): lease is EndedLease {
  return 'ended' in lease;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
