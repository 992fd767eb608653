import { setTimeout as sleep } from 'node:timers/promises';
import { newSeed, seededRandom } from '../support/random';
import { Coordinator } from '../support/coordinator';
import { until } from '../support/until';
import { TurnHistory } from './turn-history';

afterEach(() => Coordinator.cleanUp());

const SLOTS = 3;
const DEVICES = 12;
const KILLS = 25;
const SEED = newSeed();
const random = seededRandom(SEED);

/** Devices that ask until they have a turn, keep it for a moment and give it back until that is acknowledged, again and again. */
class Devices {
  readonly history = new TurnHistory();
  #isOver = false;
  #paused: Promise<void> | null = null;
  #resume: () => void = () => undefined;
  #inProgress = 0;
  readonly #all: Promise<void>[];

  constructor(private readonly current: () => Coordinator) {
    this.#all = Array.from({ length: DEVICES }, (_, index) => this.#run(`device-${String(index)}`));
  }

  /** Lets no further request go out. */
  pause(): void {
    this.#paused = new Promise((resolve) => { this.#resume = resolve; });
  }

  /** Waits until no answer is outstanding. */
  quiet(): Promise<void> {
    return until(() => this.#inProgress === 0);
  }

  goOn(): void {
    this.#paused = null;
    this.#resume();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#all);
  }

  async #run(id: string): Promise<void> {
    while (!this.#isOver) {
      if (!(await this.#until200((coordinator) => coordinator.ask(id), () => { this.history.granted('default', id); }))) return;
      await sleep(random() * 150);
      await this.#paused;
      this.history.givingBack('default', id);
      await this.#until200((coordinator) => coordinator.giveBack(id), () => { this.history.givenBack('default', id); });
    }
  }

  async #until200(request: (coordinator: Coordinator) => Promise<{ status: number }>, onSuccess: () => void): Promise<boolean> {
    while (!this.#isOver) {
      await this.#paused;
      this.#inProgress += 1;
      try {
        if ((await request(this.current())).status === 200) {
          onSuccess();
          return true;
        }
      } catch {
        // The coordinator was killed under this request.
      } finally {
        this.#inProgress -= 1;
      }
      await sleep(5 + random() * 10);
    }
    return false;
  }
}

test(`over ${String(KILLS)} kill -9 at random moments (seed ${String(SEED)}) no acknowledged turn is lost, and there are never more than slots`, async () => {
  const environment = { COORDINATOR_GROUPS: `default=${String(SLOTS)}`, COORDINATOR_LOG_LEVEL: 'info' };
  let coordinator = await Coordinator.start(environment);
  const { folder } = coordinator;
  const { port } = coordinator.url;
  const devices = new Devices(() => coordinator);
  const { history } = devices;
  let checked = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    await sleep(100 + random() * 300);
    coordinator.process.kill('SIGKILL');
    devices.pause();
    await coordinator.exited();
    await devices.quiet();
    const open = history.open('default');
    coordinator = await Coordinator.start({ ...environment, COORDINATOR_PORT: port }, folder);
    const holders = await coordinator.holders();
    expect(holders).toEqual(expect.arrayContaining(open));
    expect(holders.length).toBeLessThanOrEqual(SLOTS);
    checked += open.length;
    devices.goOn();
  }
  await devices.stop();
  expect(history.most('default')).toBeLessThanOrEqual(SLOTS);
  expect(checked).toBeGreaterThan(KILLS / 2);
}, 120_000);
