import { setTimeout as sleep } from 'node:timers/promises';
import { compareHistories, StoreHistory } from '../coordinator/store-history';
import { ADMIN_TOKEN, Coordinator } from '../support/coordinator';
import { Etcd } from '../support/etcd';
import { EtcdWatch } from '../support/etcd-watch';
import { freePort } from '../support/free-port';
import { exchange } from '../support/http';
import { Network } from '../support/network';
import { newSeed, seededRandom } from '../support/random';
import { until } from '../support/until';
import { SimulatedFleet, type SimulatedGroup } from './simulated-fleet';

/** For how long everything is disturbed, in seconds. */
const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 30);
/** How many devices of a large group ask at once, and which part of its `Retry-After` each waits. */
const ACTIVE = Number(process.env['CHAOS_ACTIVE'] ?? 30);
const RETRY_SHARE = Number(process.env['CHAOS_RETRY_SHARE'] ?? 0.1);
const REPLICAS = ['c0', 'c1', 'c2'] as const;
const MEMBERS = ['m0', 'm1', 'm2'] as const;
const PREFIX = 'update-lock/';
/** A device that has waited for so long in peace is starved: twice as long as the last in the queue waits at most until it asks again. */
const STARVED_AFTER_MS = (60 + 600 * RETRY_SHARE) * 1000;
/** A bound for failures: a busy machine may need long. */
const ANSWERED_WITHIN_MS = 200_000;
const SEED = newSeed();
const random = seededRandom(SEED);

/** 10,000 devices. Half of the groups have a few that ask all the time; in the other half each of the many asks again once all others have had a turn. */
const GROUPS: readonly SimulatedGroup[] = Array.from({ length: 20 }, (_, index) => (
  index < 10 ? { name: `few-${String(index)}`, slots: 1 + (index % 4), devices: 12, active: 8 } : { name: `many-${String(index)}`, slots: 10, devices: 988, active: ACTIVE }
));

/** The groups whose settings are changed meanwhile. */
const CHANGED: readonly string[] = ['few-1', 'few-2', 'many-11', 'many-12'];

let network: Network;
let etcd: Etcd;
let ports: number[];
let fleet: SimulatedFleet;
const coordinators: Coordinator[] = [];

afterEach(async () => {
  await fleet.stop();
  await Coordinator.cleanUp();
  network.close();
  await etcd.stop();
});

function pick<T>(all: readonly T[]): T {
  const picked = all[Math.floor(random() * all.length)];
  if (picked === undefined) throw new Error('there is nothing to pick from');
  return picked;
}

/** The same items in any order. */
function shuffled<T>(all: readonly T[]): T[] {
  return all.map((each) => ({ each, at: random() })).sort((a, b) => a.at - b.at).map(({ each }) => each);
}

async function startCoordinator(index: number): Promise<void> {
  const name = REPLICAS[index] ?? '';
  const ways = await Promise.all(etcd.members.map(({ name: member, clientUrl }) => network.open(name, member, Number(new URL(clientUrl).port))));
  coordinators[index] = Coordinator.spawn({
    COORDINATOR_STORE: `etcd:http://${ways.map((port) => `127.0.0.1:${String(port)}`).join(',')}`,
    COORDINATOR_ETCD_PREFIX: PREFIX,
    COORDINATOR_GROUPS: GROUPS.map(({ name: group, slots }) => `${group}=${String(slots)}`).join('; '),
    COORDINATOR_PORT: String(ports[index]),
    COORDINATOR_LOG_LEVEL: 'warn',
  });
  await until(() => exchange({ host: '127.0.0.1', port: ports[index] ?? 0 }, 'GET', '/healthz').then(({ status }) => status === 200, () => false), ANSWERED_WITHIN_MS);
}

/** Changes a group until that is acknowledged. */
async function change(group: string, json: { readonly slots?: number; readonly paused?: boolean }): Promise<void> {
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
  await until(() => exchange({ host: '127.0.0.1', port: pick(ports) }, 'PUT', `/v1/groups/${group}`, { json, headers }).then(({ status }) => status === 200, () => false), ANSWERED_WITHIN_MS);
}

/** Clears what late requests have taken. Once all coordinators are new ones, requests have arrived or never will. */
async function giveBackLate(): Promise<void> {
  await Promise.all(coordinators.map((coordinator) => coordinator.kill()));
  await Promise.all(REPLICAS.map((_, index) => startCoordinator(index)));
  await fleet.giveBackLate();
}

/** Leaves the network cut for a while. */
async function cutFor(ms: number, ways: readonly (readonly [string, string])[]): Promise<void> {
  for (const [from, to] of ways) network.cut(from, to);
  await sleep(random() * ms);
  network.heal(random() < 0.5);
}

type Disturbance = () => Promise<void>;

/** One thing that goes wrong, and is over when the promise is fulfilled. Those of one list come one after the other, the lists at the same time. */
const DISTURBANCES: Readonly<Record<string, readonly Disturbance[]>> = {
  processes: [
    async () => {
      const index = Math.floor(random() * REPLICAS.length);
      await coordinators[index]?.kill();
      await sleep(random() * 1000);
      await startCoordinator(index);
    },
    async () => {
      const { process } = pick(coordinators);
      process.kill('SIGSTOP');
      await sleep(random() * 6000);
      process.kill('SIGCONT');
    },
    async () => {
      const member = pick(etcd.members);
      await etcd.killMember(member);
      await sleep(random() * 2000);
      etcd.startMember(member);
    },
    async () => {
      const { process } = pick(etcd.members);
      process?.kill('SIGSTOP');
      await sleep(random() * 4000);
      process?.kill('SIGCONT');
    },
  ],
  network: [
    async () => {
      // The leader is left alone, but those who ask it still reach it.
      const leader = (await etcd.leader())?.name ?? pick(MEMBERS);
      await cutFor(5000, MEMBERS.flatMap((other) => [[leader, other], [other, leader]] as const));
    },
    async () => {
      // Only one way: a member that is heard and hears nobody, or the other way round.
      const member = pick(MEMBERS);
      const isDeaf = random() < 0.5;
      await cutFor(5000, MEMBERS.map((other) => (isDeaf ? [other, member] as const : [member, other] as const)));
    },
    async () => {
      const [one = '', other = ''] = shuffled(MEMBERS);
      await cutFor(5000, [[one, other], [other, one]]);
    },
    async () => {
      // A coordinator does not reach one or two members, or is not answered by them.
      const replica = pick(REPLICAS);
      const isDeaf = random() < 0.5;
      await cutFor(5000, shuffled(MEMBERS).slice(0, 1 + Math.floor(random() * 2)).map((member) => (isDeaf ? [member, replica] as const : [replica, member] as const)));
    },
    async () => {
      network.loss = 0.1;
      await sleep(random() * 4000);
      network.loss = 0;
    },
  ],
  groups: [
    // Never more slots than at first, so that devices must not see more turns than these.
    () => change('few-1', { slots: Math.floor(random() * 3) }),
    () => change('few-2', { paused: random() < 0.5 }),
    () => change('many-11', { slots: Math.floor(random() * 11) }),
    () => change('many-12', { paused: random() < 0.5 }),
  ],
};

/** All of a list in any order, again and again, with some peace in between. */
async function disturb(list: readonly Disturbance[], endMs: number): Promise<number> {
  let count = 0;
  for (let left: Disturbance[] = []; Date.now() < endMs; count += 1) {
    if (left.length === 0) left = shuffled(list);
    await left.pop()?.();
    await sleep(random() * 2000);
  }
  return count;
}

test(`three coordinators on an etcd of three members, with their processes and the network disturbed for ${String(SECONDS)} s (seed ${String(SEED)}): never more turns than slots, none lost, nobody starved`, async () => {
  network = new Network(random);
  etcd = await Etcd.startOn(network, MEMBERS.length);
  const inStore = new StoreHistory(PREFIX);
  const watch = new EtcdWatch(etcd, PREFIX, (each) => { inStore.add(each); });
  ports = await Promise.all(REPLICAS.map(() => freePort()));
  await Promise.all(REPLICAS.map((_, index) => startCoordinator(index)));
  fleet = new SimulatedFleet(GROUPS, ports, random, RETRY_SHARE);
  const { history } = fleet;
  const endMs = Date.now() + SECONDS * 1000;
  const disturbances = await Promise.all(Object.values(DISTURBANCES).map((list) => disturb(list, endMs)));

  // In peace each gets the turn that it waits for.
  for (const { name, slots } of GROUPS.filter((group) => CHANGED.includes(group.name))) await change(name, { slots, paused: false });
  fleet.end();
  await giveBackLate();
  for (const untilMs = Date.now() + STARVED_AFTER_MS; fleet.busy.length > 0 && Date.now() < untilMs;) await sleep(100);
  expect(fleet.busy).toEqual([]);
  await fleet.ended();

  await giveBackLate();
  await watch.end();

  if (process.env['CHAOS_SECONDS'] !== undefined) console.log({ ...fleet.figures(), disturbances, lost: network.lostBefore + network.lostAfter });
  expect(fleet.wrong).toEqual([]);
  expect(inStore.wrong).toEqual([]);
  expect(compareHistories(fleet.devices, history, inStore)).toEqual([]);
  expect(GROUPS.filter(({ name, slots }) => history.most(name) > slots)).toEqual([]);
  expect(network.lostBefore * network.lostAfter).toBeGreaterThan(0);
}, (SECONDS + 200) * 1000 + STARVED_AFTER_MS);
