import { closeSync, constants, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import type { EndedLease, Lease } from '../leases/lease';
import { MAX_TOMBSTONES } from '../leases/tombstones';
import { readContent, readJournal, type JournalContent } from './read-journal';
import { encodeRecord, isEnded, RECORD_BYTES, type Header, type JournalRecord, type Present } from './record';
import { Slots } from './slots';

/** What a journal says about this boot. */
export interface Recovered {
  readonly header: Header;
  /** Leases that had been acknowledged and not ended, oldest first. */
  readonly live: readonly Lease[];
  /** Leases that had ended, in the order of their ends. */
  readonly ended: readonly EndedLease[];
  /** What could not be read, a sentence each, for people. */
  readonly problems: readonly string[];
}

/** The folder that the journal is in. */
export interface JournalFiles {
  /** Opens a file for reading and writing, makes it if it is missing. */
  open(name: string, flags?: number): number;
  rename(from: string, to: string): void;
  /** Which file has that name, null if none has. */
  identify(name: string): { readonly dev: number; readonly ino: number } | null;
  remove(name: string): void;
}

/** An open file and the places of the leases in it: neither means anything without the other, so they are replaced together. */
interface Table {
  readonly fd: number;
  readonly slots: Slots;
}

const JOURNAL = 'journal';
const NEW_JOURNAL = 'journal.new';
const UNREADABLE_JOURNAL = 'journal.unreadable';

/** The system's errors for a directory, a link, a device or another user's file in the place of the journal. */
const NOT_OURS = ['EISDIR', 'ELOOP', 'ENXIO', 'ENODEV', 'EACCES', 'EPERM'];
const NO_HEADER: Header = { lostAtMs: null, wallOffsetMs: null, isStartOver: false, update: null };

/**
 * The leases on disk, so that they outlive the process. Not a log but a table: each lease has a line of fixed length
 * to itself, which every change overwrites in place. So a release, a renewal or a loss needs no space and cannot fail
 * for want of it, there is nothing to compact, and the file is never longer than the most leases there were at once
 * plus {@link MAX_TOMBSTONES}. No `fsync`: what must survive is our death, not the machine's.
 */
export class Journal {
  readonly #line = Buffer.alloc(RECORD_BYTES);
  #table: Table;

  private constructor(
    private readonly files: JournalFiles,
    private readonly boot: string,
    fd: number,
  ) {
    this.#table = { fd, slots: new Slots() };
  }

  /**
   * Reads a journal and goes on with it. One of another boot, or of no known boot, is void.
   * @throws the system's error if it cannot be read or written; then nothing in it is lost
   */
  static open(files: JournalFiles, present: Present): { journal: Journal; recovered: Recovered } {
    const { fd, problem } = openJournal(files);
    const journal = new Journal(files, present.boot, fd);
    try {
      const recovered = journal.#load(present);
      return { journal, recovered: { ...recovered, problems: [...(problem === null ? [] : [problem]), ...recovered.problems] } };
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
    const { fd, slots } = this.#table;
    const known = slots.slotOf(lease.name);
    const slot = known ?? slots.allocate();
    try {
      this.#put(fd, slot, { kind: 'lease', lease });
    } catch (error) {
      if (known === undefined) slots.giveBack(slot);
      throw error;
    }
    slots.setLive(lease.name, slot);
  }

  /** Records that a lease has ended, in the place where it was. Throws only if the disk is broken, never if it is full. */
  writeEnded(ended: EndedLease): void {
    const { fd, slots } = this.#table;
    const slot = slots.setEnded(ended.name);
    if (slot !== undefined) this.#put(fd, slot, { kind: 'lease', lease: ended });
  }

  writeHeader(header: Header): void {
    this.#put(this.#table.fd, 0, { kind: 'header', header });
  }

  /** Whether the file was removed or moved, so that the next process would not find it. */
  isRemoved(): boolean {
    const ours = fstatSync(this.#table.fd);
    const found = this.files.identify(JOURNAL);
    return found?.ino !== ours.ino || found.dev !== ours.dev;
  }

  /**
   * Writes everything anew into a file of its own.
   * @throws the system's error if that cannot be done
   */
  restore(header: Header, live: Iterable<Lease>): void {
    const removed = this.#table;
    this.#table = this.#writeNew(header, [...live]);
    closeSync(removed.fd);
  }

  close(): void {
    closeSync(this.#table.fd);
  }

  #load(present: Present): Recovered {
    const { fd } = this.#table;
    const content = present.boot === '' ? NO_CONTENT : readJournal(fd, present);
    const leases = content.leases.map(({ lease }) => lease);
    const header = content.header ?? NO_HEADER;
    const live = leases.filter((lease) => !isEnded(lease)).sort((a, b) => a.sinceMs - b.sinceMs);
    const ended = leases.filter(isEnded).sort((a, b) => a.ended.atMs - b.ended.atMs);
    if (content.isInPlace) this.#table = this.#adopt(fd, header, content);
    else this.#table = this.#putInOrder(fd, header, [...live, ...ended.slice(-MAX_TOMBSTONES)]);
    return { header, live, ended, problems: content.problems };
  }

  /** Goes on with the lines where they are: a start changes nothing on disk that a kill in its middle could lose. */
  #adopt(fd: number, header: Header, { leases, isOutdated, problems }: JournalContent): Table {
    const slots = Slots.of(leases);
    ftruncateSync(fd, slots.count * RECORD_BYTES);
    this.#put(fd, 0, { kind: 'header', header });
    // As this version writes them, ids included, before anybody is told of them.
    if (isOutdated) for (const { slot, lease } of leases) this.#put(fd, slot, { kind: 'lease', lease });
    // Skipped records are reported once, not at every start.
    if (problems.length > 0) for (const slot of slots.free) writeLine(fd, slot, this.#line.fill(0x20));
    return { fd, slots };
  }

  /** Bytes were cut or added, and the lines are not where they belong: writes everything into a new file, and renames that. */
  #putInOrder(fd: number, header: Header, leases: readonly (Lease | EndedLease)[]): Table {
    let table: Table;
    try {
      table = this.#writeNew(header, leases);
    } catch {
      // There is no room for a second journal, so this one is overwritten. First it gets the length that is needed, with its content
      // as it is: from then on nothing can fail for want of room.
      const content = readContent(fd);
      const needed = (1 + leases.length) * RECORD_BYTES;
      writeAll(fd, Buffer.concat([content, Buffer.alloc(Math.max(0, needed - content.length))]), 0);
      return this.#fill(fd, header, leases);
    }
    closeSync(fd);
    return table;
  }

  #writeNew(header: Header, leases: readonly (Lease | EndedLease)[]): Table {
    const fd = this.files.open(NEW_JOURNAL, constants.O_TRUNC);
    try {
      const table = this.#fill(fd, header, leases);
      this.files.rename(NEW_JOURNAL, JOURNAL);
      return table;
    } catch (error) {
      closeSync(fd);
      this.files.remove(NEW_JOURNAL);
      throw error;
    }
  }

  #fill(fd: number, header: Header, leases: readonly (Lease | EndedLease)[]): Table {
    const placed = leases.map((lease, index) => ({ slot: index + 1, lease }));
    this.#put(fd, 0, { kind: 'header', header });
    for (const { slot, lease } of placed) this.#put(fd, slot, { kind: 'lease', lease });
    const slots = Slots.of(placed);
    ftruncateSync(fd, slots.count * RECORD_BYTES);
    return { fd, slots };
  }

  #put(fd: number, slot: number, record: JournalRecord): void {
    encodeRecord(record, this.boot, this.#line);
    writeLine(fd, slot, this.#line);
  }
}

const NO_CONTENT: JournalContent = { header: null, leases: [], isInPlace: true, isOutdated: false, problems: [] };

/**
 * Opens the journal, or a new one if something stands in its place that is no file of ours: nothing can be known of leases
 * then, and the lock must not stay on disk for leases that nobody can end.
 */
function openJournal(files: JournalFiles): { readonly fd: number; readonly problem: string | null } {
  let reason = 'it is not a file';
  try {
    const fd = files.open(JOURNAL);
    if (fstatSync(fd).isFile()) return { fd, problem: null };
    closeSync(fd);
  } catch (error) {
    if (!NOT_OURS.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    reason = (error as Error).message;
  }
  files.rename(JOURNAL, UNREADABLE_JOURNAL);
  return { fd: files.open(JOURNAL), problem: `the journal cannot be opened (${reason}); it was renamed to ${UNREADABLE_JOURNAL}, and the leases in it are lost` };
}

function writeLine(fd: number, slot: number, line: Buffer): void {
  writeAll(fd, line, slot * RECORD_BYTES);
}

function writeAll(fd: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    const written = writeSync(fd, bytes, done, bytes.length - done, at + done);
    if (written === 0) throw new Error(`ENOSPC: no space left on device, ${JOURNAL}`);
    done += written;
  }
}
