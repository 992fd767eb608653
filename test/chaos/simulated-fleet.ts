import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { TurnHistory } from '../coordinator/turn-history';

export interface SimulatedGroup {
  readonly name: string;
  readonly slots: number;
  readonly devices: number;
  /** How many of them ask or have a turn at the same time. */
  readonly active: number;
}

/** A device waits so long for an answer, in milliseconds. */
const ANSWER_WITHIN_MS = 10_000;

/** A turn lasts so long at most, in milliseconds. */
const TURN_MS = 400;

/** What it waits if it is not told how long, in milliseconds. */
const UNTOLD_MS = 10_000;

/** Within so many milliseconds all begin. */
const START_WITHIN_MS = 10_000;

interface Answer {
  /** 0: none. */
  readonly status: number;
  readonly retryAfterMs: number;
}

/** What is known of one device beside its turns. */
class Device {
  /** How often it was asked for a turn without an answer that tells what became of it. */
  unknown = 0;
  /** When it has begun to ask for the turn that it waits for; null if it does not. */
  askingSinceMs: number | null = null;

  constructor(
    readonly group: string,
    readonly id: string,
  ) {}
}

/** Devices that take their turns, and believe nothing but a 200. */
export class SimulatedFleet {
  readonly history = new TurnHistory();
  readonly devices: Device[] = [];
  /** Answers that must not be. */
  readonly wrong: string[] = [];
  readonly #waitsMs: number[] = [];
  #isEnding = false;
  #isStopped = false;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 100 });
  readonly #all: Promise<void>[] = [];

  /** @param ports those of the coordinators */
  constructor(
    groups: readonly SimulatedGroup[],
    private readonly ports: readonly number[],
    private readonly random: () => number,
    /** The part of its `Retry-After` that a device waits: with less a minute shows as much as several do. */
    private readonly retryShare: number,
  ) {
    for (const { name, devices, active } of groups) {
      const idle = Array.from({ length: devices }, (_, index) => new Device(name, `${name}-${String(index)}`));
      this.devices.push(...idle);
      for (let count = 0; count < active; count += 1) this.#all.push(this.#run(idle));
    }
  }

  /** Lets nobody begin to ask any more. */
  end(): void {
    this.#isEnding = true;
  }

  /** Lets everybody stop at once, whatever they have. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    this.#isStopped = true;
    this.#agent.destroy();
    await this.ended();
  }

  /** Those that still ask or have a turn. */
  get busy(): string[] {
    return this.devices.filter(({ askingSinceMs }) => askingSinceMs !== null).map(({ id }) => id);
  }

  /** Waits until nobody is busy. */
  async ended(): Promise<void> {
    await Promise.all(this.#all);
  }

  /** What a person wants to know of a long run. Waits are from the first request to the 200. */
  figures(): Record<string, number> {
    const waits = this.#waitsMs.toSorted((a, b) => a - b);
    return {
      turns: this.history.count,
      devicesWithTurns: this.devices.filter(({ group, id }) => this.history.turnsOf(group, id) > 0).length,
      unknownAnswers: this.devices.reduce((sum, { unknown }) => sum + unknown, 0),
      medianWaitMs: waits[waits.length >> 1] ?? 0,
      longestWaitMs: waits.at(-1) ?? 0,
    };
  }

  /** Lets each idle device give back, once, what a request may have taken that was held up for longer than the device has waited for it. */
  async giveBackLate(): Promise<void> {
    const inDoubt = this.devices.filter(({ unknown, askingSinceMs }) => unknown > 0 && askingSinceMs === null);
    while (inDoubt.length > 0) {
      await Promise.all(inDoubt.splice(0, 50).map((device) => this.#giveBack(device)));
    }
  }

  /** One of the idle devices after the other asks, has its turn and gives it back. */
  async #run(idle: Device[]): Promise<void> {
    await sleep(this.random() * START_WITHIN_MS);
    while (!this.#isEnding) {
      const device = idle.shift();
      if (device === undefined) throw new Error('no device is idle');
      const { group, id } = device;
      device.askingSinceMs = performance.now();
      await this.#takeTurn(device);
      this.history.givingBack(group, id);
      await this.#giveBack(device);
      this.history.givenBack(group, id);
      device.askingSinceMs = null;
      idle.push(device);
    }
  }

  async #takeTurn(device: Device): Promise<void> {
    const { group, id, askingSinceMs } = device;
    for (;;) {
      const { status, retryAfterMs } = await this.#ask(device);
      if (status === 200 || this.#isStopped) break;
      if (![0, 423, 503].includes(status)) this.wrong.push(`${id} is answered ${String(status)}`);
      await sleep((retryAfterMs === 0 ? UNTOLD_MS : retryAfterMs) * this.retryShare * (1 + this.random() / 10));
    }
    this.history.granted(group, id);
    this.#waitsMs.push(performance.now() - (askingSinceMs ?? 0));
    await sleep(this.random() * TURN_MS);
    if (this.random() < 0.5) return;
    const { status } = await this.#ask(device);
    if (![0, 200, 503].includes(status)) this.wrong.push(`${id} has a turn and is answered ${String(status)}`);
  }

  async #giveBack(device: Device): Promise<void> {
    while ((await this.#send('/v1/steady-state', device)).status !== 200 && !this.#isStopped) await sleep(500 * (1 + this.random()));
  }

  async #ask(device: Device): Promise<Answer> {
    const answer = await this.#send('/v1/pre-reboot', device);
    if (answer.status !== 200 && answer.status !== 423) device.unknown += 1;
    return answer;
  }

  #send(path: string, { group, id }: Device): Promise<Answer> {
    const port = this.ports[Math.floor(this.random() * this.ports.length)];
    const body = JSON.stringify({ client_params: { id, group } });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': String(body.length), 'fleet-lock-protocol': 'true', 'Update-Lock-Instance': id };
    return new Promise((resolve) => {
      const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent: this.#agent, headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }, (response) => {
        response.on('error', () => { resolve({ status: 0, retryAfterMs: 0 }); });
        response.resume().on('end', () => {
          resolve({ status: response.statusCode ?? 0, retryAfterMs: 1000 * Number(response.headers['retry-after'] ?? 0) });
        });
      });
      sent.on('error', () => { resolve({ status: 0, retryAfterMs: 0 }); });
      sent.end(body);
    });
  }
}
