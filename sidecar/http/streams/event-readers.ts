import type { Call } from '../../../server/http/call';
import { onGone } from '../../../server/http/peers';
import type { Piece } from './event-list';
import { HEARTBEAT_MS } from './heartbeat';

const HEARTBEAT = Buffer.from(': alive\n\n');

/** This many readers are written to in one turn of the event loop, so that a request does not have to wait for all of them. */
const READERS_A_TURN = 20;

interface Reader {
  readonly call: Call;
  /** It has not read yet what it was sent last: it is sent nothing more until it has. */
  isBehind: boolean;
  /** The number of the next event that it is sent. */
  next: number;
}

/** The open streams, and how far each reader has got. */
export class EventReaders {
  readonly #readers = new Set<Reader>();
  #isDelivering = false;
  #isDeliveryWanted = false;
  #heartbeat: NodeJS.Timeout | undefined;

  /**
   * @param pieceFrom what a reader is sent from that number on; null if there is nothing new
   * @param onEmpty called when the last reader has gone
   */
  constructor(
    private readonly pieceFrom: (number: number) => Piece | null,
    private readonly onEmpty: () => void,
  ) {}

  /** @param firstPiece makes what the reader is sent first; not called if its connection has gone */
  add(call: Call, firstPiece: () => Piece): void {
    const reader: Reader = { call, isBehind: false, next: 0 };
    this.#readers.add(reader);
    this.#heartbeat ??= setInterval(() => { this.#beat(); }, HEARTBEAT_MS);
    onGone(call.request.socket, () => { this.#remove(reader); });
    if (this.#readers.has(reader)) this.#send(reader, firstPiece());
  }

  /** Sends new events to all readers, except those that have not read the last ones yet. */
  async deliver(): Promise<void> {
    this.#isDeliveryWanted = true;
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    while (this.#isDeliveryWanted) {
      this.#isDeliveryWanted = false;
      let count = 0;
      for (const reader of this.#readers) {
        this.#sendNew(reader);
        count += 1;
        if (count % READERS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    this.#isDelivering = false;
  }

  /** Sends new events at once, and ends all streams. */
  end(): void {
    for (const reader of this.#readers) {
      this.#sendNew(reader);
      reader.call.response.end();
      this.#remove(reader);
    }
  }

  #remove(reader: Reader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    this.onEmpty();
  }

  #sendNew(reader: Reader): void {
    if (reader.isBehind) return;
    const piece = this.pieceFrom(reader.next);
    if (piece !== null) this.#send(reader, piece);
  }

  #send(reader: Reader, { bytes, next }: Piece): void {
    reader.next = next;
    reader.isBehind = true;
    reader.call.write(bytes, () => {
      reader.isBehind = false;
      if (this.#readers.has(reader)) this.#sendNew(reader);
    });
  }

  #beat(): void {
    for (const reader of this.#readers) if (!reader.isBehind) this.#send(reader, { bytes: HEARTBEAT, next: reader.next });
  }
}
