import type { NetConnectOpts } from 'node:net';
import { FakeWallClock } from '../support/fake-wall-clock';
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
  static readonly environment = { UPDATE_LOCK_WINDOWS: '12:00-14:00', UPDATE_LOCK_TIMEZONE: 'Europe/London' };
  readonly #clock: FakeWallClock;
  #day = 0;

  constructor(folder: string) {
    this.#clock = new FakeWallClock(folder, this.#noon());
  }

  get environment(): Readonly<Record<string, string>> {
    return { ...Windows.environment, ...this.#clock.environment };
  }

  /** Ends inside of a window, as it has begun. */
  async turn(sidecar: Sidecar, count: number): Promise<void> {
    const connection = await RawConnection.open({ path: sidecar.socketPath });
    for (let turned = 0; turned < count; turned += 2) {
      this.#clock.set(this.#noon().replace('12:', '05:'));
      expectStatus(await connection.request('GET', '/v1/leases/@window'), 200, 'closed');
      this.#day += 1;
      this.#clock.set(this.#noon());
      expectStatus(await connection.request('GET', '/v1/leases/@window'), 410, 'open');
    }
    connection.close();
  }

  /** Of the present day, inside of the window in winter and in summer. */
  #noon(): string {
    return `${new Date(Date.UTC(2027, 0, 1 + this.#day)).toISOString().slice(0, 10)} 12:30:00`;
  }
}

/** Services whose answers change all the time, while they may. */
export class Probed {
  static readonly #COUNT = 20;
  /** How often an answer was another than the one before. */
  changes = 0;
  isChanging = false;

  private constructor(private readonly server: ProbedServer) {}

  static async start(): Promise<Probed> {
    const probed = new Probed(await ProbedServer.start(''));
    const isBusy = new Set<string>();
    probed.server.behaviour = ({ url = '' }, response) => {
      if (probed.isChanging || isBusy.has(url)) {
        probed.changes += 1;
        if (!isBusy.delete(url)) isBusy.add(url);
      }
      // It remembers every request, which tests of a few like to look at.
      probed.server.requests.length = 0;
      probed.server.arrivedAtMs.length = 0;
      response.end(isBusy.has(url) ? 'busy' : 'idle');
    };
    return probed;
  }

  get environment(): Readonly<Record<string, string>> {
    const probes = Array.from({ length: Probed.#COUNT }, (_, n) => ({ name: `p${n}`, url: `${this.server.url}/${n}`, holdWhen: '/busy/', every: '250ms' }));
    return { UPDATE_LOCK_PROBES: JSON.stringify(probes) };
  }

  /** Until the answers have changed so often again. */
  async change(count: number): Promise<void> {
    const enough = this.changes + count;
    this.isChanging = true;
    await until(() => this.changes >= enough, count * 100);
    this.isChanging = false;
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
