import { setTimeout as sleep } from 'node:timers/promises';
import { FakeWallClock } from '../support/fake-wall-clock';
import type { Target } from '../support/http';
import { makeFolder, Sidecar } from '../support/sidecar';
import { SmallDisk } from '../support/small-disk';

/** What chaos has to know of the sidecar's settings, in milliseconds. */
export const GRACE_MS = 20_000;
export const COOLDOWN_MS = 300;

/** One sidecar after another on the same directory, the disk of which is small, and whose wall clock can be set. */
export class Device {
  /** Exits of a sidecar that nobody had asked for. */
  readonly crashes: string[] = [];
  readonly disk = new SmallDisk('1m');
  readonly #folder = makeFolder();
  readonly #clock = new FakeWallClock(this.#folder, '+0');
  #sidecar: Sidecar | undefined;
  #port = '0';
  readonly #isMeantToExit = new WeakSet<Sidecar>();

  constructor(private readonly random: () => number) {}

  async start(): Promise<void> {
    this.spawn();
    await this.sidecar.logged('ready');
    this.#port = String((this.tcp as { port: number }).port);
  }

  get sidecar(): Sidecar {
    if (this.#sidecar === undefined) throw new Error('it was not started');
    return this.#sidecar;
  }

  get socket(): Target {
    return this.sidecar.target;
  }

  get tcp(): Target {
    return this.#port === '0' ? this.sidecar.tcpTarget : { host: '127.0.0.1', port: Number(this.#port) };
  }

  /** Starts a sidecar without waiting for anything. Every second one reads a wall clock that can be set, and every start may be a change to the right one. */
  spawn(): void {
    const sidecar = Sidecar.spawn({
      folder: this.#folder,
      environment: {
        UPDATE_LOCK_DIR: this.disk.path,
        UPDATE_LOCK_PORT: this.#port,
        UPDATE_LOCK_HOST: '127.0.0.1',
        UPDATE_LOCK_LOG_LEVEL: 'info',
        UPDATE_LOCK_RESTART_GRACE: `${GRACE_MS}ms`,
        UPDATE_LOCK_LOST_COOLDOWN: `${COOLDOWN_MS}ms`,
        ...(this.random() < 0.5 ? this.#clock.environment : {}),
      },
    });
    this.#sidecar = sidecar;
    void sidecar.exited().then((status) => {
      if (!this.#isMeantToExit.has(sidecar)) this.crashes.push(`${String(status)}: ${sidecar.output.slice(-2000)}`);
    });
  }

  /** Ends the sidecar in that way, and starts the next one after a moment. */
  async restart(signal: 'SIGKILL' | 'SIGTERM', afterMs: number): Promise<void> {
    const { sidecar } = this;
    this.#isMeantToExit.add(sidecar);
    await sidecar.kill(signal);
    await sleep(afterMs);
    this.spawn();
  }

  async stopFor(ms: number): Promise<void> {
    const { process } = this.sidecar;
    process.kill('SIGSTOP');
    await sleep(ms);
    process.kill('SIGCONT');
  }

  /** Moves the wall clock by so many seconds from the right time. */
  setClock(offsetSeconds: number): void {
    this.#clock.set(`${offsetSeconds < 0 ? '-' : '+'}${Math.abs(offsetSeconds)}`);
  }

  async ready(): Promise<void> {
    await this.sidecar.logged('ready');
  }

  async cleanUp(): Promise<void> {
    if (this.#sidecar !== undefined) this.#isMeantToExit.add(this.#sidecar);
    await Sidecar.cleanUp();
    this.disk.remove();
  }
}
