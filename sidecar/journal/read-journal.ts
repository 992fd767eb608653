import { fstatSync, readSync } from 'node:fs';
import type { EndedLease, Lease } from '../leases/lease';
import { decodeLine, isEnded, RECORD_BYTES, type Header, type JournalRecord, type Present } from './record';
import type { PlacedLease } from './slots';

/** No journal of ours is as long as this; the rest of a longer file is not read. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A line feed, a space, and the zero of places where nothing was written. */
const BLANK: ReadonlySet<number> = new Set([0x0a, 0x20, 0x00]);

/** What the file says about the present boot. */
export interface JournalContent {
  readonly header: Header | null;
  /** Each name once. */
  readonly leases: readonly PlacedLease[];
  /** Whether all of that stands where it belongs, each once. */
  readonly isInPlace: boolean;
  /** Whether some of it was written by a former version. */
  readonly isOutdated: boolean;
  /** What could not be read, a sentence each, for people. */
  readonly problems: readonly string[];
}

interface Found {
  readonly slot: number;
  readonly record: JournalRecord;
}

interface Lines {
  readonly found: readonly Found[];
  readonly isOutdated: boolean;
  readonly isDamaged: boolean;
  /** How many records were written whole and are not understood, by the reason. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** Reads every line that can be read, wherever it is, and skips the others. */
export function readJournal(fd: number, present: Present): JournalContent {
  const { found, isOutdated, isDamaged, skipped } = readLines(readContent(fd), present);
  const all = found.flatMap(({ slot, record }) => (record.kind === 'lease' ? [{ slot, lease: record.lease }] : []));
  const leases = withEachNameOnce(all);
  return {
    header: latest(found.flatMap(({ record }) => (record.kind === 'header' ? [record.header] : []))),
    leases,
    isInPlace: leases.length === all.length && found.every(isInPlace),
    isOutdated,
    problems: [
      ...(isDamaged ? ['the journal is damaged; the records that could not be read are skipped'] : []),
      ...Array.from(skipped, ([problem, count]) => `${String(count)} ${count === 1 ? 'record' : 'records'} of the journal skipped: ${problem}`),
    ],
  };
}

export function readContent(fd: number): Buffer {
  const content = Buffer.alloc(Math.min(fstatSync(fd).size, MAX_BYTES));
  let length = 0;
  for (let read = -1; read !== 0 && length < content.length; length += read) read = readSync(fd, content, length, content.length - length, length);
  return content.subarray(0, length);
}

function isInPlace({ slot, record }: Found): boolean {
  return record.kind === 'header' ? slot === 0 : Number.isInteger(slot) && slot > 0;
}

/** Every line that can be read, with its place: a whole number if it stands where it belongs, line feed included. */
function readLines(content: Buffer, present: Present): Lines {
  const found: Found[] = [];
  const skipped = new Map<string, number>();
  let isOutdated = false;
  let isDamaged = false;
  for (let start = skipBlank(content, 0); start < content.length; start = skipBlank(content, start)) {
    const longest = content.subarray(start, start + RECORD_BYTES);
    const length = longest.indexOf(0x0a);
    const decoded = decodeLine(longest.toString('utf8', 0, length === -1 ? undefined : length), present);
    if (decoded.kind === 'record') {
      found.push({ slot: length === RECORD_BYTES - 1 ? start / RECORD_BYTES : NaN, record: decoded.record });
      isOutdated ||= decoded.isOutdated;
    } else if (decoded.kind === 'unknown') {
      skipped.set(decoded.problem, (skipped.get(decoded.problem) ?? 0) + 1);
    } else {
      isDamaged ||= decoded.kind === 'damaged';
    }
    // Where a line feed was overwritten, the next line is in its place all the same.
    const nextPlace = (Math.floor(start / RECORD_BYTES) + 1) * RECORD_BYTES;
    const nextLine = length === -1 ? Infinity : start + length + 1;
    const isWhole = decoded.kind === 'record' || decoded.kind === 'unknown';
    start = isWhole ? Math.min(nextLine, start + RECORD_BYTES) : Math.min(nextLine, nextPlace);
  }
  return { found, isOutdated, isDamaged, skipped };
}

/** Where the next line may begin: free lines are blank, and so is the rest of a line that was cut. */
function skipBlank(content: Buffer, from: number): number {
  let at = from;
  while (at < content.length && BLANK.has(content[at] ?? 0)) at += 1;
  return at;
}

/** The header with the latest loss: another one is an older copy of it. */
function latest(headers: readonly Header[]): Header | null {
  return headers.toSorted((a, b) => (b.lostAtMs ?? 0) - (a.lostAtMs ?? 0))[0] ?? null;
}

function withEachNameOnce(leases: readonly PlacedLease[]): PlacedLease[] {
  const byName = new Map<string, PlacedLease>();
  for (const placed of leases) {
    const other = byName.get(placed.lease.name);
    if (other === undefined || !isLater(other.lease, placed.lease)) byName.set(placed.lease.name, placed);
  }
  return [...byName.values()];
}

/** Whether one record of a name was written after another, which somebody has put there a second time. */
function isLater(one: Lease | EndedLease, other: Lease | EndedLease): boolean {
  if (one.id !== other.id) return one.sinceMs > other.sinceMs;
  return isEnded(one) === isEnded(other) ? one.renewals > other.renewals : isEnded(one);
}
