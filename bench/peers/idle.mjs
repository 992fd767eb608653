// What the sidecar costs on a device on which nothing happens: two of them run beside everything else that is measured.
import { setTimeout as sleep } from 'node:timers/promises';
import { RawClient } from '../client.mjs';
import { Server, SIDECAR } from '../server.mjs';
import { startSupervisor } from '../supervisor.mjs';

const SECONDS_A_DAY = 86_400;

/** Some nine seconds after a start V8 marks its heap once, and works as hard as never again. */
const SETTLE_MS = 15_000;

/** One whose lock is free, and one that holds it while an update waits, and asks a Supervisor about that. */
export class Idle {
  static async start() {
    const idle = new Idle();
    idle.supervisor = await startSupervisor();
    idle.free = Server.start(SIDECAR);
    idle.held = Server.start(SIDECAR, { ...idle.supervisor.environment, UPDATE_LOCK_ON_STOP: 'release' });
    for (const server of idle.#servers) await server.untilAnswering();
    const client = await RawClient.connect(idle.held.socketPath);
    await client.request('PUT', '/v1/leases/recorder', 'ttl=3600');
    client.close();
    await sleep(SETTLE_MS);
    idle.since = idle.#read();
    return idle;
  }

  get #servers() {
    return [this.free, this.held];
  }

  #read() {
    return this.#servers.map((server) => ({ atMs: performance.now(), cpuSeconds: server.cpuSeconds(), wakeUps: server.wakeUps() }));
  }

  /** Since {@link start}: for the free one and the one that holds the lock. */
  figures() {
    const [free, held] = this.#read().map((now, index) => {
      const before = this.since[index];
      const seconds = (now.atMs - before.atMs) / 1000;
      return { seconds, cpuSecondsADay: ((now.cpuSeconds - before.cpuSeconds) / seconds) * SECONDS_A_DAY, wakeUpsASecond: (now.wakeUps - before.wakeUps) / seconds };
    });
    return { free, held };
  }

  async stop() {
    await Promise.all(this.#servers.map((server) => server.stop()));
    this.supervisor.close();
  }
}
