import type { Response } from 'express';
import type { Socket } from 'node:net';
import type { SidecarEvent } from '../../events/event';
import type { Keeper } from '../../keeper/keeper';
import type { Lease } from '../../leases/lease';
import type { Call } from '../../../server/http/call';
import { etagOf } from '../preconditions';
import { onGone } from '../../../server/http/peers';
import type { HoldLine } from '../schemas';
import type { Views } from '../views';
import { HEARTBEAT_MS } from './heartbeat';

/** How long a connection may be idle before the kernel tests whether its client is still there: its network may have gone. Milliseconds. */
const KEEP_ALIVE_AFTER_MS = 5000;

/** How long a client may take to read the last line, in milliseconds. */
const READ_LAST_LINE_WITHIN_MS = 2000;

/** A client that has left more than this unread is sent nothing more until it reads. Bytes. */
const MAX_UNREAD_BYTES = 16_384;

interface Stream {
  readonly lease: Lease;
  readonly response: Response;
  readonly socket: Socket;
  readonly stopListening: () => void;
}

/** The connections that hold leases: each lease ends with its connection, and each connection with its lease. */
export class HoldStreams {
  readonly #byName = new Map<string, Stream>();
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(
    private readonly keeper: Keeper,
    private readonly views: Views,
  ) {}

  /** Begins the answer to a hold that was granted. */
  open(call: Call, lease: Lease): void {
    const { socket } = call.request;
    const { response } = call;
    // The former connection still looks open, but the holder says that it has gone.
    const former = this.#byName.get(lease.name);
    if (former !== undefined) cutOff(former);
    // The connection ends with the lease, so no client may use it for another request.
    call.stream('application/x-ndjson', ['ETag', etagOf(lease), 'Connection', 'close']);
    socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
    this.#heartbeat ??= setInterval(() => { this.#sendAll({ event: 'alive' }); }, HEARTBEAT_MS);
    const stopListening = onGone(socket, () => {
      this.#forget(lease.name, response);
      this.keeper.end(lease.name, 'disconnected', lease.id);
      socket.destroy();
    });
    if (socket.destroyed) return;
    this.#byName.set(lease.name, { lease, response, socket, stopListening });
    write(response, { event: 'held', lease: this.views.lease(lease) });
    const update = this.views.pendingUpdate();
    if (update !== null) write(response, { event: 'update', update });
  }

  onEvent(event: SidecarEvent): void {
    switch (event.type) {
      case 'lease-ended': {
        const stream = this.#byName.get(event.lease.name);
        if (stream !== undefined) this.#finish(stream, { event: 'ended', lease: this.views.endedLease(event.lease) });
        return;
      }
      case 'update-changed':
        if (event.turn !== null) this.#sendAll({ event: 'update', update: this.views.update() });
        return;
      case 'deadline-nears':
        this.#sendAll({ event: 'update', update: this.views.update() });
        return;
      case 'draining':
        this.#sendAll({ event: 'draining', endsInSeconds: this.views.secondsUntil(event.endsAtMs), reason: `${event.reason}.` });
        return;
      case 'update-forced':
        this.#sendAll({ event: 'draining', endsInSeconds: 0, reason: `An update is being forced by ${event.peer}.` });
        return;
      case 'stopping':
        this.#endAll();
        return;
      default:
    }
  }

  /** Ends every stream without a last line: the leases go on, for their holders to come back to. */
  #endAll(): void {
    for (const stream of [...this.#byName.values()]) this.#finish(stream);
  }

  #finish({ lease, response, socket, stopListening }: Stream, line?: HoldLine): void {
    stopListening();
    this.#forget(lease.name, response);
    if (line !== undefined) write(response, line);
    response.end();
    setTimeout(() => socket.destroy(), READ_LAST_LINE_WITHIN_MS).unref();
  }

  #forget(name: string, response: Response): void {
    if (this.#byName.get(name)?.response === response) this.#byName.delete(name);
    if (this.#byName.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }

  /** A client that does not read keeps its lease, but is sent nothing more until it reads: that would fill our memory. */
  #sendAll(line: HoldLine): void {
    for (const { response } of this.#byName.values()) {
      if (response.writableLength <= MAX_UNREAD_BYTES) write(response, line);
    }
  }
}

function cutOff({ socket, stopListening }: Stream): void {
  stopListening();
  socket.destroy();
}

function write(response: Response, line: HoldLine): void {
  response.write(`${JSON.stringify(line)}\n`);
}
