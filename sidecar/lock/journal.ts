import { closeSync, constants, fstatSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { ByName } from '../leases/by-name';
import type { EndedLease, Lease } from '../leases/lease';
import { MAX_TOMBSTONES } from '../leases/tombstones';
import { decodeRecord, encodeRecord, isEnded, RECORD_BYTES, type Header, type JournalRecord } from './record';

/** What a journal says of this boot. */
export interface Recovered {
  readonly header: Header;
  /** Leases that had been acknowledged and not ended, oldest first. */
  readonly live: readonly Lease[];
  /** Leases that had ended, in the order of their ends. */
  readonly ended: readonly EndedLease[];
}

/** The folder that the journal is in. */
export interface JournalFiles {
  /** Opens a file for reading and writing, makes it if it is missing. */
  open(name: string, flags?: number): number;
  rename(from: string, to: string): void;
  remove(name: string): void;
}

const JOURNAL = 'journal';
const NEW_JOURNAL = 'journal.new';

/**
 * The leases on disk, so that they outlive the process. Not a log but a table: each lease has a line of fixed length
 * to itself, which every change overwrites in place. So a release, a renewal or a loss needs no space and cannot fail
 * for want of it, there is nothing to compact, and the file is never longer than the most leases there were at once
 * plus {@link MAX_TOMBSTONES}. No `fsync`: what must survive is our death, not the machine's.
 */
export class Journal {
  readonly #slotByName = new ByName<number>();
  /**
   * Slots of ended leases by name, the oldest end first: still of use to whoever asks late, and the first to be used
   * again. A lease of the same name has the slot of the one before it.
   */
  readonly #endedSlots = new ByName<number>();
  readonly #freeSlots: number[] = [];
  readonly #line = Buffer.alloc(RECORD_BYTES);
  #slotCount = 1;
  #fd: number;

  private constructor(
    private readonly files: JournalFiles,
    private readonly boot: string,
  ) {
    this.#fd = files.open(JOURNAL);
  }

  /**
   * Reads a journal and goes on with it. One of another boot, or of no known boot, is void.
   * @throws the system's error if it can be neither read nor written
   */
  static open(files: JournalFiles, boot: string): { journal: Journal; recovered: Recovered } {
    const journal = new Journal(files, boot);
    try {
      return { journal, recovered: journal.#load() };
    } catch (error) {
      journal.close();
      throw error;
    }
  }

  /**
   * Records a lease that is new or has changed.
   * @throws the system's error if it could not be; then nothing has changed
   */
  write(lease: Lease): void {
    const known = this.#slotByName.get(lease.name) ?? this.#endedSlots.get(lease.name);
    const slot = known ?? this.#allocate();
    try {
      this.#put(slot, { kind: 'lease', boot: this.boot, lease });
    } catch (error) {
      if (known === undefined) this.#freeSlots.push(slot);
      throw error;
    }
    this.#endedSlots.delete(lease.name);
    this.#slotByName.set(lease.name, slot);
  }

  /** Records that a lease has ended, in the place where it was. Throws only if the disk is broken, never if it is full. */
  writeEnded(ended: EndedLease): void {
    const slot = this.#slotByName.get(ended.name);
    if (slot === undefined) return;
    this.#slotByName.delete(ended.name);
    this.#endedSlots.set(ended.name, slot);
    this.#put(slot, { kind: 'lease', boot: this.boot, lease: ended });
  }

  writeHeader(header: Header): void {
    this.#put(0, { kind: 'header', boot: this.boot, header });
  }

  /** Whether the file has been removed, so that what is written into it will not be found again. */
  isRemoved(): boolean {
    return fstatSync(this.#fd).nlink === 0;
  }

  /**
   * Writes everything anew into a file of its own.
   * @throws the system's error if that cannot be done
   */
  restore(header: Header, live: Iterable<Lease>): void {
    const fd = this.files.open(NEW_JOURNAL, constants.O_TRUNC);
    closeSync(this.#fd);
    this.#fd = fd;
    try {
      this.#fill(header, [...live], []);
      this.files.rename(NEW_JOURNAL, JOURNAL);
    } catch (error) {
      this.files.remove(NEW_JOURNAL);
      throw error;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #allocate(): number {
    const free = this.#freeSlots.pop();
    if (free !== undefined) return free;
    const { size, oldestName } = this.#endedSlots;
    if (size >= MAX_TOMBSTONES && oldestName !== undefined) {
      const oldest = this.#endedSlots.get(oldestName);
      this.#endedSlots.delete(oldestName);
      if (oldest !== undefined) return oldest;
    }
    this.#slotCount += 1;
    return this.#slotCount - 1;
  }

  #put(slot: number, record: JournalRecord): void {
    encodeRecord(record, this.#line);
    const written = writeSync(this.#fd, this.#line, 0, RECORD_BYTES, slot * RECORD_BYTES);
    if (written < RECORD_BYTES) throw new Error(`ENOSPC: no space left on device, ${JOURNAL}`);
  }

  #load(): Recovered {
    const found = this.boot === '' ? [] : readRecords(this.#fd).filter(({ record }) => record.boot === this.boot);
    const leases = found.filter(isLeaseRecord);
    const live = leases.map(({ record }) => record.lease).filter((lease) => !isEnded(lease));
    const recovered = {
      header: found.map(({ record }) => record).findLast((record) => record.kind === 'header')?.header ?? NO_HEADER,
      live: [...new Map(live.map((lease) => [lease.name, lease])).values()],
      ended: leases.map(({ record }) => record.lease).filter(isEnded),
    };
    recovered.live.sort((a, b) => a.sinceMs - b.sinceMs);
    recovered.ended.sort((a, b) => a.ended.atMs - b.ended.atMs);
    // A second line of one name would outlive the lease's end.
    const isSound =
      recovered.live.length === live.length &&
      found.every(({ slot, record }) => (record.kind === 'header' ? slot === 0 : Number.isInteger(slot) && slot > 0));
    if (isSound) this.#adopt(leases);
    else this.#rewrite(recovered);
    this.writeHeader(recovered.header);
    return recovered;
  }

  /** Goes on with the lines where they are: a start changes nothing on disk that a kill in its middle could lose. */
  #adopt(leases: readonly { slot: number; record: LeaseRecord }[]): void {
    const lastSlot = leases.reduce((last, { slot }) => Math.max(last, slot), 0);
    ftruncateSync(this.#fd, (lastSlot + 1) * RECORD_BYTES);
    this.#slotCount = lastSlot + 1;
    const used = new Set(leases.map(({ slot }) => slot));
    for (let slot = 1; slot <= lastSlot; slot += 1) if (!used.has(slot)) this.#freeSlots.push(slot);
    const ended: { slot: number; name: string; atMs: number }[] = [];
    for (const { slot, record } of leases) {
      if (isEnded(record.lease)) ended.push({ slot, name: record.lease.name, atMs: record.lease.ended.atMs });
      else this.#slotByName.set(record.lease.name, slot);
    }
    for (const { slot, name } of ended.sort((a, b) => a.atMs - b.atMs)) this.#endedSlots.set(name, slot);
  }

  /** Something cut or added bytes, and the lines are not where they belong: writes them out anew, as one rename. */
  #rewrite({ header, live, ended }: Recovered): void {
    const damagedFd = this.#fd;
    try {
      this.#fd = this.files.open(NEW_JOURNAL, constants.O_TRUNC);
      this.#fill(header, live, ended);
      this.files.rename(NEW_JOURNAL, JOURNAL);
      closeSync(damagedFd);
    } catch {
      // No room for a second journal. What is kept is never longer than what was there, so it can go in its place.
      if (this.#fd !== damagedFd) closeSync(this.#fd);
      this.files.remove(NEW_JOURNAL);
      this.#fd = damagedFd;
      this.#fill(header, live, ended);
    }
  }

  #fill(header: Header, live: readonly Lease[], ended: readonly EndedLease[]): void {
    this.#slotByName.clear();
    this.#endedSlots.clear();
    this.#slotCount = 1;
    this.writeHeader(header);
    for (const lease of live) this.write(lease);
    for (const lease of ended.slice(-MAX_TOMBSTONES)) {
      this.write(lease);
      this.writeEnded(lease);
    }
    ftruncateSync(this.#fd, this.#slotCount * RECORD_BYTES);
  }
}

type LeaseRecord = Extract<JournalRecord, { kind: 'lease' }>;
interface Found<R> { readonly slot: number; readonly record: R }

const NO_HEADER: Header = { lostAtMs: null, wallOffsetMs: null, isStartOver: false, update: null };

function isLeaseRecord(found: Found<JournalRecord>): found is Found<LeaseRecord> {
  return found.record.kind === 'lease';
}

/** Every line that can be read, with its place: a whole number if it stands where it belongs, line feed included. */
function readRecords(fd: number): Found<JournalRecord>[] {
  const content = readFileSync(fd);
  const found: Found<JournalRecord>[] = [];
  for (let start = 0; start < content.length; ) {
    const longest = content.subarray(start, start + RECORD_BYTES);
    const length = longest.indexOf(0x0a);
    const record = decodeRecord(longest.toString('utf8', 0, length === -1 ? undefined : length));
    if (record !== null) found.push({ slot: length === RECORD_BYTES - 1 ? start / RECORD_BYTES : NaN, record });
    // Where a line feed was overwritten, the next line is in its place all the same.
    const nextPlace = (Math.floor(start / RECORD_BYTES) + 1) * RECORD_BYTES;
    const nextLine = length === -1 ? Infinity : start + length + 1;
    start = record === null ? Math.min(nextLine, nextPlace) : Math.min(nextLine, start + RECORD_BYTES);
  }
  return found;
}
