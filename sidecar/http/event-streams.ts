import type { SidecarEvent } from '../events/event';
import type { Keeper } from '../keeper/keeper';
import type { Call } from './call';
import { oncePerTurn } from './once-per-turn';
import { onGone } from './peers';
import type { LockEventView } from './schemas';
import type { Views } from './views';

const HEARTBEAT_MS = 15_000;

/** How much later than it happened an event may be told: many that come together are told together. Milliseconds. */
const FLUSH_AFTER_MS = 20;

/** So many events are kept for readers that come back. */
const MAX_KEPT = 1024;

/** For so long after the last reader has gone, in milliseconds. */
const KEEP_FOR_MS = 300_000;

/** A reader is sent about so much at once, and more once it has read that. Bytes. */
const PIECE_BYTES = 65_536;

/** So many readers are written to in one turn of the event loop: a request does not have to wait for all of them. */
const READERS_A_TURN = 20;

/** Tells a browser when to connect again, in milliseconds. */
const RETRY = Buffer.from('retry: 1000\n\n');
const HEARTBEAT = Buffer.from(': alive\n\n');

interface Kept {
  readonly number: number;
  readonly bytes: Buffer;
}

/** What is sent at once; the bytes are shared by all readers who are sent the same. */
interface Piece {
  readonly bytes: Buffer;
  /** The number of the next event after it. */
  readonly next: number;
}

interface Reader {
  readonly call: Call;
  /** It has not read yet what it was sent last: it is told nothing more until it has. */
  isBehind: boolean;
  /** The number of the next event that it is sent. */
  next: number;
}

/**
 * `GET /v1/events`: everything that happens to lock, leases and updates, as server-sent events. Without readers, nothing is
 * kept or made.
 */
export class EventStreams {
  readonly #readers = new Set<Reader>();
  #kept: Kept[] = [];
  /** The last piece that was made, and from which number on: most readers are at the same. */
  #lastPiece: (Piece & { readonly from: number }) | null = null;
  readonly #snapshots = { fresh: oncePerTurn(() => this.#snapshot(false)), missed: oncePerTurn(() => this.#snapshot(true)) };
  #pending: SidecarEvent[] = [];
  #number = 0;
  /** Ids of another epoch, of a former process or of a time without readers, say nothing of what has been missed. */
  #epoch = '';
  #lastLock = '';
  #lastUpdate = '';
  #isDelivering = false;
  #flushTimer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #passesTimer: NodeJS.Timeout | undefined;
  #forgetTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly keeper: Keeper,
    private readonly views: Views,
  ) {}

  /** Begins a stream: with what was missed since the last id, if that is known, or with the present state of everything. */
  open(call: Call, lastEventId: string | undefined): void {
    const { response } = call;
    call.stream('text/event-stream');
    if (call.request.method === 'HEAD') {
      response.end();
      return;
    }
    const { socket } = call.request;
    if (socket.destroyed) return;
    this.#begin();
    const reader: Reader = { call, isBehind: false, next: this.#number + 1 };
    this.#readers.add(reader);
    onGone(socket, () => { this.#remove(reader); });
    if (!this.#readers.has(reader)) return;
    const missedSince = this.#numberOf(lastEventId);
    if (missedSince === null) {
      this.#send(reader, (lastEventId ?? '') === '' ? this.#snapshots.fresh() : this.#snapshots.missed());
      return;
    }
    reader.next = missedSince + 1;
    this.#send(reader, { bytes: RETRY, next: reader.next });
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'stopping') this.#end();
    if (event.type === 'directory-looked-at') this.#lockMayHaveChanged();
    if (this.#epoch === '' || !isTold(event)) return;
    this.#pending.push(event);
    this.#tellSoon();
  }

  /** Something has happened to the lock that may be no event of its own. */
  #lockMayHaveChanged(): void {
    if (this.#epoch !== '') this.#tellSoon();
  }

  #tellSoon(): void {
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined;
      this.#record();
      void this.#deliver();
    }, FLUSH_AFTER_MS);
  }

  #end(): void {
    clearTimeout(this.#flushTimer);
    this.#record();
    for (const reader of this.#readers) {
      if (!reader.isBehind) this.#tell(reader);
      reader.call.response.end();
      this.#remove(reader);
    }
    this.#forget();
  }

  #begin(): void {
    clearTimeout(this.#forgetTimer);
    this.#heartbeat ??= setInterval(() => { this.#beat(); }, HEARTBEAT_MS);
    if (this.#epoch !== '') return;
    this.#epoch = newEpoch();
    this.#lastLock = this.#lockText();
    this.#lastUpdate = this.#updateText();
  }

  #remove(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    this.#forgetTimer = setTimeout(() => { this.#forget(); }, KEEP_FOR_MS).unref();
  }

  #forget(): void {
    for (const timer of [this.#forgetTimer, this.#passesTimer, this.#flushTimer]) clearTimeout(timer);
    this.#flushTimer = undefined;
    this.#epoch = '';
    this.#kept = [];
    this.#pending = [];
  }

  /**
   * Makes what has happened into events, each with its number. For whom an update waits, and how long it may, changes with
   * the leases.
   */
  #record(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const event of pending) {
      if (event.type === 'lease-acquired' || event.type === 'lease-renewed') this.#keep('lease', this.views.lease(event.lease));
      else if (event.type === 'lease-ended') this.#keep('lease', this.views.endedLease(event.lease));
    }
    const update = this.#updateText();
    // A warning is told although it changes nothing.
    const isWarned = pending.some(({ type }) => type === 'deadline-nears');
    if (update !== this.#lastUpdate || isWarned) this.#keep('update', this.views.update());
    this.#lastUpdate = update;
    const lock = this.#lockText();
    if (lock === this.#lastLock) return;
    this.#lastLock = lock;
    this.#keep('lock', this.#lock());
  }

  #keep(type: string, data: unknown): void {
    this.#number += 1;
    this.#kept.push({ number: this.#number, bytes: Buffer.from(message(`${this.#epoch}-${String(this.#number)}`, type, data)) });
    this.#lastPiece = null;
    // Not one at a time: that would move all the others each time.
    if (this.#kept.length >= 2 * MAX_KEPT) this.#kept = this.#kept.slice(-MAX_KEPT);
  }

  /** The number in an id of ours; null if it does not tell what was missed since. */
  #numberOf(id: string | undefined): number | null {
    const [epoch, digits = ''] = (id ?? '').split('-');
    if (epoch !== this.#epoch || !/^\d+$/.test(digits)) return null;
    const number = Number(digits);
    const oldest = this.#kept[0]?.number ?? this.#number + 1;
    return number >= oldest - 1 && number <= this.#number ? number : null;
  }

  /**
   * The present state. Only its last message has an id that says all: who has seen but a part has to begin anew.
   * @param missed whether the reader has missed events that are not kept any more
   */
  #snapshot(missed: boolean): Piece {
    const lastNumber = this.#number;
    this.#record();
    // The others have not been told of it yet.
    if (this.#number !== lastNumber) this.#tellSoon();
    const last = `${this.#epoch}-${String(this.#number)}`;
    const parts: [string, unknown][] = [
      ['lock', { ...this.#lock(), snapshot: true, missed }],
      ...this.views.leases(this.keeper.leases()).map((lease): [string, unknown] => ['lease', lease]),
      ['update', this.views.update()],
    ];
    const text = parts
      .map(([type, data], index) => message(index === parts.length - 1 ? last : `${last}.${String(index)}`, type, data))
      .join('');
    return { bytes: Buffer.from(`retry: 1000\n\n${text}`), next: this.#number + 1 };
  }

  #lock(): LockEventView {
    const status = this.keeper.status();
    const { state, since, expires, flock, paths, window, summary } = this.views.lock();
    // A cooldown ends without anything happening.
    clearTimeout(this.#passesTimer);
    const passesInMs = status.refusal?.retryAfterMs;
    if (passesInMs !== undefined) this.#passesTimer = setTimeout(() => { this.#lockMayHaveChanged(); }, passesInMs).unref();
    return { snapshot: false, missed: false, state, since, expires, flock, paths, window, summary };
  }

  #lockText(): string {
    return JSON.stringify(this.#lock());
  }

  #updateText(): string {
    return JSON.stringify(this.views.update());
  }

  /** What follows from that number on; null if not all of it is kept any more. */
  #pieceFrom(number: number): Piece | null {
    const first = this.#kept[0]?.number ?? this.#number + 1;
    if (number < first) return null;
    if (this.#lastPiece?.from === number) return this.#lastPiece;
    const parts: Buffer[] = [];
    let size = 0;
    for (const { bytes } of this.#kept.slice(number - first)) {
      if (size >= PIECE_BYTES) break;
      parts.push(bytes);
      size += bytes.length;
    }
    this.#lastPiece = { from: number, bytes: Buffer.concat(parts), next: number + parts.length };
    return this.#lastPiece;
  }

  async #deliver(): Promise<void> {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    let told = 0;
    const upTo = this.#number;
    for (const reader of this.#readers) {
      this.#tell(reader);
      told += 1;
      if (told % READERS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isDelivering = false;
    if (this.#number !== upTo) void this.#deliver();
  }

  /** Sends what a reader has not been sent yet, or as much of it as is sent at once. */
  #tell(reader: Reader): void {
    if (reader.isBehind || reader.next > this.#number) return;
    this.#send(reader, this.#pieceFrom(reader.next) ?? this.#snapshots.missed());
  }

  #send(reader: Reader, { bytes, next }: Piece): void {
    reader.next = next;
    reader.isBehind = true;
    reader.call.write(bytes, () => {
      reader.isBehind = false;
      if (this.#readers.has(reader)) this.#tell(reader);
    });
  }

  #beat(): void {
    for (const reader of this.#readers) if (!reader.isBehind) this.#send(reader, { bytes: HEARTBEAT, next: reader.next });
  }
}

/** Unlike any other on this device, which is all it is for; loading `node:crypto` for it would be a tenth of the start. */
function newEpoch(): string {
  return Math.random().toString(36).slice(2).padEnd(10, '0');
}

/** A server-sent event (WHATWG HTML, 9.2). JSON has no line feeds. */
function message(id: string, type: string, data: unknown): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Whether an event is one that readers are told of, or only of its effect on the lock. */
function isTold({ type }: SidecarEvent): boolean {
  switch (type) {
    case 'lease-acquired':
    case 'lease-renewed':
    case 'lease-ended':
    case 'update-changed':
    case 'deadline-nears':
    case 'draining':
    case 'drained':
    case 'window-turned':
      return true;
    default:
      return false;
  }
}
