import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** A kept connection that costs next to nothing: a soak is about the sidecar, and has a million requests to send. One request at a time. */
export class RawConnection {
  #received = '';
  #answered: (status: number) => void = () => undefined;

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.#received += chunk;
      const headEnd = this.#received.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const length = Number(/content-length: *(\d+)/i.exec(this.#received.slice(0, headEnd))?.[1] ?? 0);
      if (this.#received.length < headEnd + 4 + length) return;
      const status = Number(this.#received.slice(9, 12));
      this.#received = '';
      this.#answered(status);
    });
    // The request that waits for its answer says so.
    socket.on('error', () => undefined).on('close', () => { this.#answered(0); });
  }

  static async open(where: NetConnectOpts): Promise<RawConnection> {
    const socket = connect(where);
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** The status of the answer; 0 if there was none. */
  async request(method: string, path: string, headers = ''): Promise<number> {
    const answered = new Promise<number>((resolve) => { this.#answered = resolve; });
    this.socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
    return answered;
  }

  close(): void {
    this.socket.destroy();
  }
}
