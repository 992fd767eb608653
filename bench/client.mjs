// A client that costs next to nothing, so that what is measured is the server: one connection, one request at a time.
import { once } from 'node:events';
import { connect } from 'node:net';

export class Client {
  #socket;
  #received = '';
  #resolve = () => {};

  static async connect(socketPath) {
    const client = new Client();
    client.#socket = connect(socketPath);
    await once(client.#socket, 'connect');
    client.#socket.setEncoding('latin1');
    client.#socket.on('data', (chunk) => {
      client.#received += chunk;
      const headEnd = client.#received.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const length = Number(/content-length: *(\d+)/i.exec(client.#received.slice(0, headEnd))?.[1] ?? 0);
      if (client.#received.length < headEnd + 4 + length) return;
      const status = Number(client.#received.slice(9, 12));
      client.#received = '';
      client.#resolve(status);
    });
    return client;
  }

  /** Sends a request and returns its status and how long the answer took, in microseconds. */
  async request(method, path, form = '') {
    const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n`;
    const body = form === '' ? '\r\n' : `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`;
    const start = process.hrtime.bigint();
    const answered = new Promise((resolve) => (this.#resolve = resolve));
    this.#socket.write(head + body);
    const status = await answered;
    return { status, microseconds: Number(process.hrtime.bigint() - start) / 1000 };
  }

  close() {
    this.#socket.destroy();
  }
}
