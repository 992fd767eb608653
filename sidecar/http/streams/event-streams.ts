import type { SidecarEvent } from '../../events/event';
import type { Keeper } from '../../keeper/keeper';
import type { Call } from '../../../server/http/call';
import { oncePerTurn } from '../../../server/http/once-per-turn';
import type { LockEventView } from '../schemas';
import type { Views } from '../views';
import { EventList, serverSentEvent, type Piece } from './event-list';
import { EventReaders } from './event-readers';

/** How much later than it happened an event may be sent: events that come together are sent together. Milliseconds. */
const SEND_AFTER_MS = 20;

/** How long events are kept after the last reader has gone, in milliseconds. */
const KEEP_FOR_MS = 300_000;

/** Tells a browser when to connect again, in milliseconds. */
const RETRY = 'retry: 1000\n\n';

/**
 * `GET /v1/events`: everything that happens to lock, leases and updates, as server-sent events. Without readers, nothing is
 * made or kept.
 */
export class EventStreams {
  readonly #readers: EventReaders;
  readonly #snapshots = { fresh: oncePerTurn(() => this.#snapshot(false)), missed: oncePerTurn(() => this.#snapshot(true)) };
  /** Null while there are no readers, and have been none for a while. */
  #list: EventList | null = null;
  /** What has happened and is not in the list yet. */
  #pending: SidecarEvent[] = [];
  #lastLock = '';
  #lastUpdate = '';
  #lastFleet = '';
  #sendTimer: NodeJS.Timeout | undefined;
  #cooldownTimer: NodeJS.Timeout | undefined;
  #forgetTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly keeper: Keeper,
    private readonly views: Views,
  ) {
    this.#readers = new EventReaders((number) => this.#pieceFrom(number), () => {
      this.#forgetTimer = setTimeout(() => { this.#forget(); }, KEEP_FOR_MS).unref();
    });
  }

  /** Begins a stream: with the events since the last id, if they are kept, or else with the present state of everything. */
  open(call: Call, lastEventId = ''): void {
    call.stream('text/event-stream');
    if (call.request.method === 'HEAD') {
      call.response.end();
      return;
    }
    if (call.request.socket.destroyed) return;
    clearTimeout(this.#forgetTimer);
    const list = this.#list ?? this.#begin();
    this.#readers.add(call, () => {
      const next = list.numberAfter(lastEventId);
      if (next !== null) return { bytes: Buffer.from(RETRY), next };
      return lastEventId === '' ? this.#snapshots.fresh() : this.#snapshots.missed();
    });
  }

  /** Any event may have changed the lock, or the state of updates. */
  onEvent(event: SidecarEvent): void {
    if (this.#list === null) return;
    if (event.type === 'stopping') {
      this.#end();
      return;
    }
    this.#pending.push(event);
    this.#sendSoon();
  }

  #begin(): EventList {
    this.#list = new EventList();
    this.#lastLock = this.#lockText();
    this.#lastUpdate = this.#updateText();
    this.#lastFleet = this.#fleetText();
    return this.#list;
  }

  #sendSoon(): void {
    this.#sendTimer ??= setTimeout(() => {
      this.#sendTimer = undefined;
      this.#record();
      void this.#readers.deliver();
    }, SEND_AFTER_MS);
  }

  #end(): void {
    this.#record();
    this.#readers.end();
    this.#forget();
  }

  #forget(): void {
    for (const timer of [this.#forgetTimer, this.#cooldownTimer, this.#sendTimer]) clearTimeout(timer);
    this.#sendTimer = undefined;
    this.#list = null;
    this.#pending = [];
  }

  /** Puts what has happened into the list. The leases come first: for whom an update waits, and how long, changes with them. */
  #record(): void {
    const list = this.#list;
    if (list === null) return;
    const pending = this.#pending;
    this.#pending = [];
    for (const event of pending) {
      if (event.type === 'lease-acquired' || event.type === 'lease-renewed') list.add('lease', this.views.lease(event.lease));
      else if (event.type === 'lease-ended') list.add('lease', this.views.endedLease(event.lease));
    }
    const update = this.#updateText();
    // A warning is sent although it changes nothing.
    const isWarned = pending.some(({ type }) => type === 'deadline-nears');
    if (update !== this.#lastUpdate || isWarned) list.add('update', this.views.update());
    this.#lastUpdate = update;
    const fleet = this.#fleetText();
    if (fleet !== this.#lastFleet) list.add('fleet', this.views.fleet());
    this.#lastFleet = fleet;
    const lock = this.#lockText();
    if (lock !== this.#lastLock) list.add('lock', this.#lock());
    this.#lastLock = lock;
  }

  #pieceFrom(number: number): Piece | null {
    if (this.#list === null || number > this.#list.lastNumber) return null;
    return this.#list.pieceFrom(number) ?? this.#snapshots.missed();
  }

  /**
   * The present state. Only its last message has an id that counts: a reader that has seen only a part has to begin anew.
   * @param missed whether the reader has missed events that are not kept any more
   */
  #snapshot(missed: boolean): Piece {
    const list = this.#list ?? this.#begin();
    const lastNumber = list.lastNumber;
    this.#record();
    // The other readers have not been sent it yet.
    if (list.lastNumber !== lastNumber) this.#sendSoon();
    const parts: [string, unknown][] = [
      ['lock', { ...this.#lock(), snapshot: true, missed }],
      ...this.views.leases(this.keeper.leases()).map((lease): [string, unknown] => ['lease', lease]),
      ['fleet', this.views.fleet()],
      ['update', this.views.update()],
    ];
    const texts = parts.map(([type, data], index) =>
      serverSentEvent(index === parts.length - 1 ? list.lastId : `${list.lastId}.${String(index)}`, type, data),
    );
    return { bytes: Buffer.from(RETRY + texts.join('')), next: list.lastNumber + 1 };
  }

  #lock(): LockEventView {
    const { state, since, expires, flock, paths, window, override, device, summary } = this.views.lock();
    // The end of a cooldown is no event.
    clearTimeout(this.#cooldownTimer);
    const passesInMs = this.keeper.status().refusal?.retryAfterMs;
    if (passesInMs !== undefined) this.#cooldownTimer = setTimeout(() => { this.#sendSoon(); }, passesInMs).unref();
    return { snapshot: false, missed: false, state, since, expires, flock, paths, window, override, device, summary };
  }

  #lockText(): string {
    return JSON.stringify(this.#lock());
  }

  #fleetText(): string {
    return JSON.stringify(this.views.fleet());
  }

  #updateText(): string {
    return JSON.stringify(this.views.update());
  }
}
