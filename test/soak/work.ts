import { renameSync, writeFileSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import type { Target } from '../support/http';
import { ProbedServer } from '../support/probed-server';
import type { Sidecar } from '../support/sidecar';
import { until } from '../support/until';
import { RawConnection } from './raw-connection';

/** How much of everything is done. */
export interface Amount {
  readonly requests: number;
  readonly holds: number;
  /** How often a window opens or closes. */
  readonly windows: number;
  /** How often the answer of a probe changes. */
  readonly probes: number;
}

const AT_ONCE = 8;
/** Hours in UTC: of a window from 12:00 to 14:00 in London, in winter and in summer, with time for a slow soak. */
const IN_WINDOW = 12;
const BEFORE_WINDOW = 5;
/** Names, and addresses of clients, are never used twice. */
let used = 0;

/** Leases for a time, each under a name of its own, with the requests that fail beside them. */
export async function requestLeases(sidecar: Sidecar, tcp: Target, count: number): Promise<void> {
  let left = count;
  await atOnce(async (worker) => {
    const connection = await RawConnection.open(worker % 2 === 0 ? clientOf(tcp) : { path: sidecar.socketPath });
    const send = async (status: number, method: string, path: string): Promise<void> => {
      left -= 1;
      expectStatus(await connection.request(method, path, 'Content-Length: 0\r\n'), status, path);
    };
    while (left > 0) {
      const path = `/v1/leases/app-${next()}`;
      await send(201, 'PUT', `${path}?ttl=60`);
      await send(200, 'DELETE', path);
      if (used % 8 !== 0) continue;
      await send(410, 'GET', path);
      await send(422, 'PUT', `${path}?ttl=0`);
      await send(404, 'GET', `${path}-unknown`);
    }
    connection.close();
  });
}

/** Leases by connection, and streams of events, from clients that go away without a word. */
export async function holdLeases(sidecar: Sidecar, tcp: Target, count: number): Promise<void> {
  let left = count;
  await atOnce(async (worker) => {
    for (; left > 0; left -= 1) {
      const name = `hold-${next()}`;
      const connection = await RawConnection.open(worker % 2 === 0 ? clientOf(tcp) : { path: sidecar.socketPath });
      const isHold = used % 5 !== 0;
      const status = await (isHold ? connection.request('POST', `/v1/leases/${name}/hold`, 'Content-Length: 0\r\n') : connection.request('GET', '/v1/events'));
      expectStatus(status, 200, name);
      connection.close();
    }
  });
}

/** The wall clock goes into a window and out of it, on one day after another. */
export class Windows {
  #day = 0;
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, 'wall-clock-ahead');
    this.#setClock(IN_WINDOW);
  }

  get environment(): Readonly<Record<string, string>> {
    return { WALL_CLOCK_AHEAD: this.#file, UPDATE_LOCK_WINDOWS: '12:00-14:00', UPDATE_LOCK_TIMEZONE: 'Europe/London' };
  }

  /** Ends inside of a window, as it has begun. */
  async turn(sidecar: Sidecar, count: number): Promise<void> {
    const connection = await RawConnection.open({ path: sidecar.socketPath });
    for (let turned = 0; turned < count; turned += 2) {
      this.#setClock(BEFORE_WINDOW);
      expectStatus(await connection.request('GET', '/v1/leases/@window'), 200, 'closed');
      this.#day += 1;
      this.#setClock(IN_WINDOW);
      expectStatus(await connection.request('GET', '/v1/leases/@window'), 410, 'open');
    }
    connection.close();
  }

  /** To that hour, in UTC, of the present day. It goes on from there. */
  #setClock(hour: number): void {
    // As one step: the process may look at any moment.
    writeFileSync(`${this.#file}.new`, String(Date.UTC(2027, 0, 1 + this.#day, hour) - Date.now()));
    renameSync(`${this.#file}.new`, this.#file);
  }
}

/** Services whose answers change each time, while they may. At other times they leave every probe without an answer, so that it costs nothing. */
export class Probed {
  static readonly #COUNT = 20;
  /** How often an answer was another than the one before. */
  #changes = 0;
  #isChanging = false;
  readonly #busy = new Set<string>();
  readonly #unanswered = new Set<() => void>();

  private constructor(private readonly server: ProbedServer) {
    server.behaviour = ({ url = '' }, response) => {
      // It remembers every request, which tests of a few like to look at.
      server.requests.length = 0;
      server.arrivedAtMs.length = 0;
      const answer = (): void => { response.end(this.#next(url)); };
      if (this.#isChanging || this.#busy.has(url)) answer();
      else this.#unanswered.add(answer);
    };
  }

  static async start(): Promise<Probed> {
    return new Probed(await ProbedServer.start(''));
  }

  get environment(): Readonly<Record<string, string>> {
    const probes = Array.from({ length: Probed.#COUNT }, (_, n) => ({ name: `p${n}`, url: `${this.server.url}/${n}`, holdWhen: '/busy/', every: '100ms', timeout: '1h' }));
    return { UPDATE_LOCK_PROBES: JSON.stringify(probes) };
  }

  /** Until the answers have changed so often again, and no probe has reason to hold the lock. */
  async change(count: number): Promise<void> {
    const enough = this.#changes + count;
    this.#isChanging = true;
    for (const answer of this.#unanswered) answer();
    this.#unanswered.clear();
    await until(() => this.#changes >= enough, 60_000 + count * 100);
    this.#isChanging = false;
    await until(() => this.#unanswered.size === Probed.#COUNT, 60_000);
  }

  #next(url: string): string {
    this.#changes += 1;
    if (this.#busy.delete(url)) return 'idle';
    this.#busy.add(url);
    return 'busy';
  }
}

async function atOnce(work: (worker: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: AT_ONCE }, (_, worker) => work(worker)));
}

function next(): number {
  used += 1;
  return used;
}

/** A client with an address that no other has had. */
function clientOf(tcp: Target): NetConnectOpts {
  const address = [16, 8, 0].map((shift) => (next() >> shift) & 0xff);
  return { ...(tcp as { host: string; port: number }), localAddress: `127.${address.join('.')}` };
}

function expectStatus(status: number, expected: number, what: string): void {
  if (status !== expected) throw new Error(`${what} was answered with ${status}, not ${expected}`);
}
