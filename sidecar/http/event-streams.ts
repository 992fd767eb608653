import type { Response } from 'express';
import type { SidecarEvent } from '../events/event';
import type { Keeper } from '../keeper/keeper';
import type { Call } from './call';
import { onGone, setExclusive } from './peers';
import type { LockEventView } from './schemas';
import type { Views } from './views';

const HEARTBEAT_MS = 15_000;

/** How much later than it happened an event may be told: many that come together are told together. Milliseconds. */
const FLUSH_AFTER_MS = 20;

/** So many events are kept for readers that come back. */
const MAX_KEPT = 1024;

/** For so long after the last reader has gone, in milliseconds. */
const KEEP_FOR_MS = 300_000;

/** A reader that is behind by more than this, beside what it was sent first, is cut off. Bytes. */
const MAX_BEHIND_BYTES = 262_144;

/** So many readers are written to in one turn of the event loop: a request does not have to wait for all of them. */
const READERS_A_TURN = 20;

interface Kept {
  readonly number: number;
  readonly text: string;
}

interface Reader {
  readonly response: Response;
  readonly maxBehindBytes: number;
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
    this.#begin();
    const lastNumber = this.#number;
    this.#record();
    // The others have not been told of it yet.
    if (this.#number !== lastNumber) this.#tellSoon();
    const missedSince = this.#numberOf(lastEventId);
    const first = missedSince === null ? this.#snapshot() : this.#textSince(missedSince + 1);
    const text = `retry: 1000\n\n${first}`;
    const reader = { response, maxBehindBytes: text.length + MAX_BEHIND_BYTES, next: this.#number + 1 };
    const { socket } = call.request;
    setExclusive(socket, true);
    onGone(socket, () => {
      this.#remove(reader);
      socket.destroy();
    });
    if (socket.destroyed) return;
    this.#readers.add(reader);
    response.write(text);
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
      reader.response.end(this.#textSince(reader.next));
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
    this.#keep('lock', this.#lock(false));
  }

  #keep(type: string, data: unknown): void {
    this.#number += 1;
    this.#kept.push({ number: this.#number, text: message(`${this.#epoch}-${String(this.#number)}`, type, data) });
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

  /** Only the last has an id that says all: who has seen but a part has to begin anew. */
  #snapshot(): string {
    const last = `${this.#epoch}-${String(this.#number)}`;
    const parts: [string, unknown][] = [
      ['lock', this.#lock(true)],
      ...this.views.leases(this.keeper.leases()).map((lease): [string, unknown] => ['lease', lease]),
      ['update', this.views.update()],
    ];
    return parts
      .map(([type, data], index) => message(index === parts.length - 1 ? last : `${last}.${String(index)}`, type, data))
      .join('');
  }

  #lock(snapshot: boolean): LockEventView {
    const status = this.keeper.status();
    const { state, since, expires, flock, paths, window, summary } = this.views.lock();
    // A cooldown ends without anything happening.
    clearTimeout(this.#passesTimer);
    const passesInMs = status.refusal?.retryAfterMs;
    if (passesInMs !== undefined) this.#passesTimer = setTimeout(() => { this.#lockMayHaveChanged(); }, passesInMs).unref();
    return { snapshot, state, since, expires, flock, paths, window, summary };
  }

  #lockText(): string {
    return JSON.stringify(this.#lock(false));
  }

  #updateText(): string {
    return JSON.stringify(this.views.update());
  }

  #textSince(number: number): string {
    const first = this.#kept[0]?.number ?? this.#number + 1;
    return this.#kept.slice(Math.max(0, number - first)).map(({ text }) => text).join('');
  }

  async #deliver(): Promise<void> {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    const texts = new Map<number, Buffer>();
    const upTo = this.#number;
    let written = 0;
    for (const reader of this.#readers) {
      if (reader.next > upTo) continue;
      const text = texts.get(reader.next) ?? Buffer.from(this.#textSince(reader.next));
      texts.set(reader.next, text);
      reader.next = this.#number + 1;
      this.#write(reader, text);
      written += 1;
      if (written % READERS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.#number !== upTo) texts.clear();
    }
    this.#isDelivering = false;
    if (this.#number !== upTo) void this.#deliver();
  }

  #beat(): void {
    for (const reader of this.#readers) this.#write(reader, ': alive\n\n');
  }

  #write(reader: Reader, text: string | Buffer): void {
    reader.response.write(text);
    if (reader.response.writableLength <= reader.maxBehindBytes) return;
    reader.response.socket?.destroy();
    this.#remove(reader);
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
