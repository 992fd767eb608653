/** The number of events that are kept, at least, for readers that come back. */
const MAX_KEPT = 1024;

/** A reader is sent about this much at once, and more once it has read that. Bytes. */
const PIECE_BYTES = 65_536;

interface KeptEvent {
  readonly number: number;
  readonly bytes: Buffer;
}

/** What is sent at once; the bytes are shared by all readers that are sent the same. */
export interface Piece {
  readonly bytes: Buffer;
  /** The number of the next event after it. */
  readonly next: number;
}

/** The latest events as server-sent events, numbered from 1 on. Sends nothing. */
export class EventList {
  /** Part of each id: an id of another list, of a former process or before a time without readers, does not count here. */
  readonly #epoch = newEpoch();
  #kept: KeptEvent[] = [];
  #lastNumber = 0;
  /** The piece that was made last, and the number of its first event: most readers have read equally far. */
  #lastPiece: (Piece & { readonly from: number }) | null = null;

  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** The id of the latest event. */
  get lastId(): string {
    return this.#idOf(this.#lastNumber);
  }

  add(type: string, data: unknown): void {
    this.#lastNumber += 1;
    this.#kept.push({ number: this.#lastNumber, bytes: Buffer.from(serverSentEvent(this.#idOf(this.#lastNumber), type, data)) });
    this.#lastPiece = null;
    // Not one at a time: that would move all the others each time.
    if (this.#kept.length >= 2 * MAX_KEPT) this.#kept = this.#kept.slice(-MAX_KEPT);
  }

  /** The number of the event that follows the one with this id; null if the id is not of this list, or too old. */
  numberAfter(id: string): number | null {
    const [epoch, digits = ''] = id.split('-');
    if (epoch !== this.#epoch || !/^\d+$/.test(digits)) return null;
    const next = Number(digits) + 1;
    return next >= this.#firstKept && next <= this.#lastNumber + 1 ? next : null;
  }

  /** The events from this number on, as many as are sent at once; null if not all of them are kept any more. */
  pieceFrom(number: number): Piece | null {
    if (number < this.#firstKept) return null;
    if (this.#lastPiece?.from === number) return this.#lastPiece;
    const parts: Buffer[] = [];
    let size = 0;
    for (const { bytes } of this.#kept.slice(number - this.#firstKept)) {
      if (size >= PIECE_BYTES) break;
      parts.push(bytes);
      size += bytes.length;
    }
    this.#lastPiece = { from: number, bytes: Buffer.concat(parts), next: number + parts.length };
    return this.#lastPiece;
  }

  get #firstKept(): number {
    return this.#kept[0]?.number ?? this.#lastNumber + 1;
  }

  #idOf(number: number): string {
    return `${this.#epoch}-${String(number)}`;
  }
}

/** An event as it is sent (WHATWG HTML, 9.2). JSON has no line feeds. */
export function serverSentEvent(id: string, type: string, data: unknown): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** It only has to differ from the others on this device, and loading `node:crypto` for it would be a tenth of the start. */
function newEpoch(): string {
  return Math.random().toString(36).slice(2).padEnd(10, '0');
}
