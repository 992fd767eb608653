import { setTimeout as sleep } from 'node:timers/promises';
import { TurnHistory } from '../coordinator/turn-history';
import { Coordinator } from '../support/coordinator';
import { Etcd } from '../support/etcd';
import { LossyProxy } from '../support/lossy-proxy';
import { newSeed, seededRandom } from '../support/random';
import { until } from '../support/until';

/** For how long everything is disturbed; an hour is for people who have one. */
const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 60);
const GROUPS = { g1: 1, g2: 2, g3: 3, changing: 2 };
const DEVICES_A_GROUP = 8;
const SEED = newSeed();
const random = seededRandom(SEED);

let etcd: Etcd;
let proxies: LossyProxy[];
let coordinators: Coordinator[];

afterEach(async () => {
  await Coordinator.cleanUp();
  for (const proxy of proxies) proxy.close();
  await etcd.stop();
});

function pick<T>(all: readonly T[]): T {
  const picked = all[Math.floor(random() * all.length)];
  if (picked === undefined) throw new Error('there is nothing to pick from');
  return picked;
}

/** Devices that take their turns, and believe nothing but a 200. */
class Fleet {
  readonly history = new TurnHistory();
  readonly turnsOf = new Map<string, number>();
  readonly wrong: string[] = [];
  #isEnding = false;
  readonly #all: Promise<void>[] = [];

  constructor() {
    for (const group of Object.keys(GROUPS)) {
      for (let index = 0; index < DEVICES_A_GROUP; index += 1) this.#all.push(this.#run(group, `${group}-${String(index)}`));
    }
  }

  /** Lets each device give back what it has, and waits for that. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#all);
  }

  /**
   * Gives back what a request has taken that was held up on its way for longer than its device has waited for it, as an idle device does once a day.
   * @returns how many there seem to be: what is shown may be some moments old
   */
  async giveBackLate(): Promise<number> {
    let count = 0;
    for (const group of Object.keys(GROUPS)) {
      const { holders, waiting } = (await pick(coordinators).group(group)) as { holders: { id: string }[]; waiting: { id: string }[] };
      for (const { id } of [...holders, ...waiting]) {
        count += 1;
        await pick(coordinators).giveBack(id, { group, instance: id });
      }
    }
    return count;
  }

  async #run(group: string, id: string): Promise<void> {
    while (!this.#isEnding || this.#hasAsked.has(id)) {
      this.#hasAsked.add(id);
      const status = await this.#status((coordinator) => coordinator.ask(id, { group, instance: id }));
      if (status === 200) {
        this.history.granted(group, id);
        this.turnsOf.set(id, (this.turnsOf.get(id) ?? 0) + 1);
        await sleep(random() * 100);
        const again = await this.#status((coordinator) => coordinator.ask(id, { group, instance: id }));
        if (![0, 200, 503].includes(again)) this.wrong.push(`${id} has a turn and is answered ${String(again)}`);
      } else if (!this.#isEnding) {
        await sleep(20 + random() * 80);
        continue;
      }
      // At the end each gives back what it may have, too: an answer may have been lost.
      this.history.givingBack(group, id);
      while ((await this.#status((coordinator) => coordinator.giveBack(id, { group, instance: id }))) !== 200) await sleep(20);
      this.history.givenBack(group, id);
      this.#hasAsked.delete(id);
      await sleep(random() * 50);
    }
  }

  readonly #hasAsked = new Set<string>();

  /** 0: no answer. */
  async #status(send: (coordinator: Coordinator) => Promise<{ status: number }>): Promise<number> {
    try {
      return (await Promise.race([send(pick(coordinators)), sleep(8000, { status: 0 }, { ref: false })])).status;
    } catch {
      return 0;
    }
  }
}

/** One thing that goes wrong, and is over when the promise is fulfilled. */
const disturbances: (() => Promise<unknown>)[] = [
  async () => {
    const at = Math.floor(random() * coordinators.length);
    const port = coordinators[at]?.url.port;
    await coordinators[at]?.kill();
    await sleep(random() * 500);
    coordinators[at] = await startCoordinator(port);
  },
  async () => {
    const { process } = pick(coordinators);
    process.kill('SIGSTOP');
    await sleep(random() * 3000);
    process.kill('SIGCONT');
  },
  async () => {
    const member = pick(etcd.members);
    await etcd.killMember(member);
    await sleep(random() * 2000);
    etcd.startMember(member);
    await sleep(1500);
  },
  async () => {
    const member = pick(etcd.members);
    member.process?.kill('SIGSTOP');
    await sleep(random() * 4000);
    member.process?.kill('SIGCONT');
  },
  async () => {
    for (const proxy of proxies) proxy.loss = 0.1;
    await sleep(random() * 4000);
    for (const proxy of proxies) proxy.loss = 0;
  },
  async () => {
    // Never more than two, so that two is what must not be passed.
    const changes = pick([{ slots: 0 }, { slots: 1 }, { slots: 2 }, { paused: true }, { paused: false }]);
    await pick(coordinators).admin('PUT', '/v1/groups/changing', changes).catch(() => undefined);
    await sleep(random() * 500);
  },
];

function startCoordinator(port = '0'): Promise<Coordinator> {
  return Coordinator.start({
    COORDINATOR_STORE: `etcd:http://${proxies.map(({ host }) => host).join(',')}`,
    COORDINATOR_GROUPS: Object.entries(GROUPS).map(([name, slots]) => `${name}=${String(slots)}`).join('; '),
    COORDINATOR_PORT: port,
    COORDINATOR_LOG_LEVEL: 'info',
  });
}

test(`three coordinators on an etcd of three members, all disturbed for ${String(SECONDS)} s (seed ${String(SEED)}): never more turns than slots, none lost, nobody starved`, async () => {
  etcd = await Etcd.start(3);
  proxies = await Promise.all(etcd.endpoints.map((url) => LossyProxy.start(url, random)));
  coordinators = await Promise.all([startCoordinator(), startCoordinator(), startCoordinator()]);
  const fleet = new Fleet();
  const endMs = Date.now() + SECONDS * 1000;
  for (let round = 0; Date.now() < endMs || round < disturbances.length; round += 1) await disturbances[round % disturbances.length]?.();
  // In peace everybody gets on.
  await coordinators[0]?.admin('PUT', '/v1/groups/changing', { slots: 2, paused: false });
  const before = new Map(fleet.turnsOf);
  const starved = (): string[] => Object.keys(GROUPS).flatMap((group) => Array.from({ length: DEVICES_A_GROUP }, (_, index) => `${group}-${String(index)}`))
    .filter((id) => (fleet.turnsOf.get(id) ?? 0) <= (before.get(id) ?? 0));
  for (const untilMs = Date.now() + 60_000; starved().length > 0 && Date.now() < untilMs;) await sleep(100);
  expect(starved()).toEqual([]);
  await fleet.end();
  expect(fleet.wrong).toEqual([]);
  for (const [group, slots] of Object.entries(GROUPS)) {
    expect([group, fleet.history.most(group) <= slots]).toEqual([group, true]);
    expect(fleet.history.most(group)).toBeGreaterThan(0);
  }
  await until(async () => (await fleet.giveBackLate()) === 0);
  expect(fleet.history.count).toBeGreaterThan(SECONDS);
  expect(proxies.reduce((sum, { lostAfter }) => sum + lostAfter, 0)).toBeGreaterThan(0);
}, (SECONDS + 180) * 1000);
