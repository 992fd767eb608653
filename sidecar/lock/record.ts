import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { END_REASONS, type EndedLease, type Lease } from '../leases/lease';
import type { UpdateNote } from '../leases/waited';

/**
 * The length of every line of the journal, its line feed included: as much as the longest lease needs (a reason of
 * control characters, each six bytes of JSON), and a divisor of the page size, since the kernel writes a page whole or
 * not at all, whenever we are killed.
 */
export const RECORD_BYTES = 2048;

/** What the journal knows of a boot beside leases. */
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
  | { readonly kind: 'header'; readonly boot: string; readonly header: Header }
  | { readonly kind: 'lease'; readonly boot: string; readonly lease: Lease | EndedLease };

/** A line of the journal: a checksum and JSON, filled up with spaces. Every line names the boot it belongs to. */
export function encodeRecord(record: JournalRecord, into: Buffer): void {
  const json = JSON.stringify(record);
  const line = `${checksum(json)} ${json}`;
  // The last byte is the line feed's.
  if (Buffer.byteLength(line) >= RECORD_BYTES) throw new Error('a journal record is too long');
  into.fill(0x20, into.write(line));
  into[RECORD_BYTES - 1] = 0x0a;
}

/** The record in a line, or null if the line was cut off, overwritten or never written. */
export function decodeRecord(line: string): JournalRecord | null {
  const trimmed = line.trimEnd();
  const json = trimmed.slice(9);
  if (trimmed.charAt(8) !== ' ' || trimmed.slice(0, 8) !== checksum(json)) return null;
  try {
    // The checksum says that we wrote this, so its shape needs no second look.
    const record = JSON.parse(json) as JournalRecord;
    if (record.kind === 'header') return record;
    // Written by a sidecar that did not know ids yet.
    const withId: Partial<Lease> = record.lease;
    return withId.id === undefined ? { ...record, lease: { ...record.lease, id: randomUUID() } } : record;
  } catch {
    return null;
  }
}

export function isEnded(lease: Lease | EndedLease): lease is EndedLease {
  return 'ended' in lease && END_REASONS.includes(lease.ended.reason);
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
