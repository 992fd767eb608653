// Two clients, each with one connection and one request at a time. AgentClient is what an app would use. RawClient costs
// next to nothing, so that more of what it measures is the server.
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';

export class AgentClient {
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #target;

  /** @param target the path of a Unix socket, or a `host` and a `port` */
  static async connect(target) {
    const client = new AgentClient();
    client.#target = typeof target === 'string' ? { socketPath: target } : target;
    return client;
  }

  /**
   * Sends a request and returns its status and how long the answer took, in microseconds. Fails if it was refused: how
   * long that takes is not what anybody wants to know.
   */
  request(method, path, form = '') {
    const headers = form === '' ? {} : { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': form.length };
    const start = process.hrtime.bigint();
    return new Promise((resolve, reject) => {
      const request = httpRequest({ agent: this.#agent, ...this.#target, method, path, headers }, (response) => {
        response.resume();
        response.once('end', () => {
          const microseconds = Number(process.hrtime.bigint() - start) / 1000;
          if (response.statusCode < 300) resolve({ status: response.statusCode, microseconds });
          else reject(new Error(`${method} ${path} was answered with ${response.statusCode}`));
        });
      });
      request.once('error', reject);
      request.end(form);
    });
  }

  close() {
    this.#agent.destroy();
  }
}

export class RawClient {
  #socketPath;
  #socket;
  #received = '';
  #resolve = () => {};
  #reject = () => {};

  static async connect(socketPath) {
    const client = new RawClient();
    client.#socketPath = socketPath;
    await client.#connect();
    return client;
  }

  async #connect() {
    this.#socket = connect(this.#socketPath);
    await once(this.#socket, 'connect');
    this.#socket.setEncoding('latin1');
    this.#socket.on('close', () => this.#reject(new Error('the connection was closed before the answer')));
    this.#socket.on('data', (chunk) => {
      this.#received += chunk;
      const headEnd = this.#received.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const length = Number(/content-length: *(\d+)/i.exec(this.#received.slice(0, headEnd))?.[1] ?? 0);
      if (this.#received.length < headEnd + 4 + length) return;
      const status = Number(this.#received.slice(9, 12));
      this.#received = '';
      this.#resolve(status);
    });
  }

  /** As {@link AgentClient.request}. */
  async request(method, path, form = '') {
    const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n`;
    const body = form === '' ? '\r\n' : `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`;
    // Servers close connections that have been idle for some seconds.
    if (this.#socket.readyState !== 'open') await this.#connect();
    const start = process.hrtime.bigint();
    const answered = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#socket.write(head + body);
    const status = await answered;
    if (status >= 300) throw new Error(`${method} ${path} was answered with ${status}`);
    return { status, microseconds: Number(process.hrtime.bigint() - start) / 1000 };
  }

  close() {
    this.#socket.destroy();
  }
}
