// Measures the sidecar beside a bare node:http server that does the same to the disk, in the same run, since machines
// differ and their speed drifts. Prints a table of ratios with what we promise; exits 1 if a promise is not kept.
// With arguments, only those of `put`, `memory`, `leases`, `start`, `idle`, `events`, `retry`, `command`, `library` and `shell`;
// `coordinator`, which
// needs an etcd, only if it is named. `peers`, on the other hand, measures it beside everything else that locks: see peers/.
import { fork, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { UpdateLock } from '../client/dist/index.mjs';
import { AgentClient, RawClient } from './client.mjs';
import { benchCoordinator } from './coordinator.mjs';
import { timeOfCurl, timeOfNothing, timeOfRun, timeOfScript } from './command.mjs';
import { runPeers } from './peers/run.mjs';
import { BARE, IS_AS_IN_IMAGE, Server, SIDECAR } from './server.mjs';
import { startSupervisor } from './supervisor.mjs';

const ROUNDS = 20;
const REQUESTS_A_ROUND = 250;
const WARM_UP_CYCLES = 3000;
const BATCHES = 40;
const CYCLES_A_BATCH = 50;
const STARTS = 15;
const IDLE_SECONDS = 10;
const SETTLE_MS = 15_000;
const RUNS = 40;
/** Each is for two requests. */
const DISTINCT_NAMES = 50_000;

const rows = [];

/** @param limit what we promise; null for a figure that only goes with another */
function report(what, measured, limit, detail) {
  const verdict = limit === null ? { limit: '', kept: '' } : { limit: `<= ${limit}`, kept: measured <= limit ? 'yes' : 'NO' };
  rows.push({ what, measured: measured.toFixed(2), ...verdict, detail });
  console.log(`${what}: ${measured.toFixed(2)} (${detail})`);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** The medians of both, taken in turns. */
async function inTurns(times, measureBare, measureSidecar) {
  const bare = [];
  const sidecar = [];
  for (let i = 0; i < times; i += 1) {
    bare.push(...(await measureBare()));
    sidecar.push(...(await measureSidecar()));
  }
  return { bare: median(bare), sidecar: median(sidecar) };
}

/** A lease is taken, renewed and released; how long the PUTs took, in microseconds. */
async function cycles(client, count) {
  const taken = [];
  const renewed = [];
  for (let i = 0; i < count; i += 1) {
    taken.push((await client.request('PUT', '/v1/leases/recorder', 'ttl=60&reason=recording')).microseconds);
    renewed.push((await client.request('PUT', '/v1/leases/recorder', 'ttl=60&reason=recording')).microseconds);
    await client.request('DELETE', '/v1/leases/recorder');
  }
  return { taken, renewed };
}

async function benchPut() {
  const unpin = pinToOneCpu();
  for (const [Client, through, limit] of [[AgentClient, 'node:http', 2.5], [RawClient, 'a bare socket', null]]) {
    const servers = [Server.start(BARE), Server.start(SIDECAR)];
    const clients = [];
    for (const server of servers) {
      await server.untilAnswering();
      clients.push(await Client.connect(server.socketPath));
    }
    for (const client of clients) await cycles(client, WARM_UP_CYCLES);
    const measured = clients.map(() => ({ taken: [], renewed: [] }));
    for (let batch = 0; batch < BATCHES; batch += 1) {
      for (const [index, client] of clients.entries()) {
        const { taken, renewed } = await cycles(client, CYCLES_A_BATCH);
        measured[index].taken.push(...taken);
        measured[index].renewed.push(...renewed);
      }
    }
    for (const [kind, what] of [['taken', 'PUT that takes the lock'], ['renewed', 'PUT that renews']]) {
      const [bare, sidecar] = measured.map((figures) => median(figures[kind]));
      report(`${what}, through ${through}`, sidecar / bare, limit, `${sidecar.toFixed(0)} us, bare ${bare.toFixed(0)} us`);
    }
    for (const client of clients) client.close();
    for (const server of servers) await server.stop();
  }
  unpin();
}

/**
 * Runs us and what we start from now on on one CPU: across two, what is measured is how long a sleeping one takes to wake
 * up, which varies more than what we want to know. Does nothing where there is no taskset.
 * @returns undoes it
 */
function pinToOneCpu() {
  const taskset = (...options) => spawnSync('taskset', [...options, String(process.pid)], { encoding: 'utf8' });
  const before = /: (\S+)$/m.exec(taskset('-cp').stdout ?? '')?.[1];
  if (before === undefined) return () => undefined;
  taskset('-cp', String(Number.parseInt(before.split(/[,-]/).at(-1), 10)));
  return () => taskset('-cp', before);
}

async function benchMemory() {
  const [idle, first, second] = [[], [], []];
  for (const kind of [BARE, SIDECAR]) {
    const server = Server.start(kind);
    await server.untilAnswering();
    await sleep(3000);
    idle.push(server.residentMiB());
    const client = await RawClient.connect(server.socketPath);
    for (const [after, from] of [[first, 0], [second, DISTINCT_NAMES]]) {
      for (let i = from; i < from + DISTINCT_NAMES; i += 1) {
        await client.request('PUT', `/v1/leases/lease-${i}`, 'ttl=60&reason=recording');
        await client.request('DELETE', `/v1/leases/lease-${i}`);
      }
      after.push(server.residentMiB());
    }
    client.close();
    await server.stop();
  }
  for (const [what, [bare, sidecar], limit] of [['idle memory', idle, 1.3], ['memory after 100,000 requests with distinct names', first, 1.6]]) {
    report(what, sidecar / bare, limit, `${sidecar.toFixed(1)} MiB, bare ${bare.toFixed(1)} MiB`);
  }
  report('memory after 200,000 such requests, beside 100,000', second[1] / first[1], 1.1, `${second[1].toFixed(1)} MiB`);
}

async function startOnce(kind, environment, until) {
  const server = Server.start(kind, environment);
  const ms = await until(server);
  await server.untilAnswering();
  await server.stop();
  return [ms];
}

async function benchStart() {
  const bareStart = () => startOnce(BARE, {}, (server) => server.untilAnswering());
  const hold = { UPDATE_LOCK_HOLD_ON_START: '1m', UPDATE_LOCK_ON_STOP: 'release' };
  const held = await inTurns(STARTS, bareStart, () => startOnce(SIDECAR, hold, (server) => server.untilHeld()));
  report('start to the lock held', held.sidecar / held.bare, IS_AS_IN_IMAGE ? 1.3 : 2.2, `${held.sidecar.toFixed(0)} ms, bare answers after ${held.bare.toFixed(0)} ms`);
  const answering = await inTurns(STARTS, bareStart, () => startOnce(SIDECAR, {}, (server) => server.untilAnswering()));
  report('start to the API answering', answering.sidecar / answering.bare, IS_AS_IN_IMAGE ? 2.6 : 4.2, `${answering.sidecar.toFixed(0)} ms, bare ${answering.bare.toFixed(0)} ms`);
}

async function benchIdle() {
  for (const [what, form] of [['free', null], ['held', 'ttl=1h']]) {
    const server = Server.start(SIDECAR, { UPDATE_LOCK_ON_STOP: 'release' });
    await server.untilAnswering();
    if (form !== null) {
      const client = await RawClient.connect(server.socketPath);
      await client.request('PUT', '/v1/leases/recorder', form);
      client.close();
    }
    // Some nine seconds after a start V8 marks its heap once, on several threads: 40 to 90 wake-ups, and none like them after that.
    await sleep(SETTLE_MS);
    const before = server.wakeUps();
    await sleep(IDLE_SECONDS * 1000);
    const aSecond = (server.wakeUps() - before) / IDLE_SECONDS;
    report(`wake-ups a second, idle and ${what}`, aSecond, 1, `all threads, over ${IDLE_SECONDS} s`);
    await server.stop();
  }
}

async function benchManyLeases() {
  const sizes = [10, 10_000];
  const clients = [];
  const servers = [];
  for (const size of sizes) {
    const server = Server.start(SIDECAR, { UPDATE_LOCK_MAX_LEASES: '20000', UPDATE_LOCK_LOG_LEVEL: 'warn', UPDATE_LOCK_ON_STOP: 'release' });
    await server.untilAnswering();
    const client = await RawClient.connect(server.socketPath);
    for (let i = 0; i < size; i += 1) await client.request('PUT', `/v1/leases/lease-${i}`, `ttl=${3600 + (i % 977)}`);
    servers.push(server);
    clients.push(client);
  }
  const renewAndAdd = (client) => async () => {
    const puts = [];
    for (let i = 0; i < REQUESTS_A_ROUND; i += 1) {
      puts.push((await client.request('PUT', `/v1/leases/lease-${i % 10}`, `ttl=${3600 + ((i * 7919) % 977)}`)).microseconds);
      puts.push((await client.request('PUT', '/v1/leases/one-more', 'ttl=60')).microseconds);
      await client.request('DELETE', '/v1/leases/one-more');
    }
    return puts;
  };
  const { bare: few, sidecar: many } = await inTurns(ROUNDS, renewAndAdd(clients[0]), renewAndAdd(clients[1]));
  report('PUT among 10,000 leases, beside 10', many / few, 1.3, `${many.toFixed(0)} us, among 10 ${few.toFixed(0)} us`);
  for (const client of clients) client.close();
  for (const server of servers) await server.stop();
}

/** What 200 readers of events cost whoever asks for leases meanwhile: once in a while, and as fast as it goes. */
async function benchEvents() {
  const servers = [];
  const clients = [];
  const readers = [];
  for (const count of [0, 200]) {
    const server = Server.start(SIDECAR, { UPDATE_LOCK_ON_STOP: 'release' });
    await server.untilAnswering();
    if (count > 0) {
      const reader = fork(new URL('readers.mjs', import.meta.url), [server.socketPath, String(count)]);
      await new Promise((resolve) => reader.once('message', resolve));
      readers.push(reader);
    }
    servers.push(server);
    clients.push(await RawClient.connect(server.socketPath));
  }
  for (const client of clients) await cycles(client, WARM_UP_CYCLES / 10);
  for (const [how, pauseMs, count] of [['once in 5 ms', 5, 40], ['back to back', 0, 100]]) {
    const some = (client) => async () => {
      const taken = [];
      for (let i = 0; i < count; i += 1) {
        taken.push(...(await cycles(client, 1)).taken);
        if (pauseMs > 0) await sleep(pauseMs);
      }
      return taken;
    };
    const { bare: none, sidecar: many } = await inTurns(ROUNDS, some(clients[0]), some(clients[1]));
    report(`PUT beside 200 readers of events, ${how}`, many / none, 1.25, `${many.toFixed(0)} us, without ${none.toFixed(0)} us`);
  }
  for (const client of clients) client.close();
  for (const reader of readers) reader.kill();
  for (const server of servers) await server.stop();
}

/** How soon after the last release the Supervisor is asked to try the update that waits. */
async function benchRetry() {
  const supervisor = await startSupervisor();
  const server = Server.start(SIDECAR, { ...supervisor.environment, UPDATE_LOCK_SUPERVISOR_POLL: '1s', UPDATE_LOCK_ON_STOP: 'release' });
  await server.untilAnswering();
  const client = await RawClient.connect(server.socketPath);
  const tookMs = [];
  const posts = () => supervisor.requests.filter(({ method }) => method === 'POST');
  for (let i = 0; i < 10; i += 1) {
    const asked = posts().length;
    await client.request('PUT', '/v1/leases/recorder', 'ttl=60');
    await sleep(1500);
    const releasedAtMs = performance.now();
    await client.request('DELETE', '/v1/leases/recorder');
    while (posts().length === asked) await sleep(1);
    tookMs.push(posts().at(-1).atMs - releasedAtMs);
  }
  report('milliseconds from a release to the Supervisor being asked', median(tookMs), 100, `at most ${Math.max(...tookMs).toFixed(1)}`);
  client.close();
  await server.stop();
  supervisor.close();
}

async function benchCommand() {
  const unpin = pinToOneCpu();
  const server = Server.start(SIDECAR);
  await server.untilAnswering();
  const { bare: nothingMs, sidecar: runMs } = await inTurns(RUNS, async () => [await timeOfNothing()], async () => [await timeOfRun(server.socketPath)]);
  report('update-lock run -- true, beside node -e 0', runMs / nothingMs, 1.9, `${runMs.toFixed(0)} ms, node -e 0 ${nothingMs.toFixed(0)} ms`);
  await server.stop();
  unpin();
}

/** Acquire and release by the library, beside the same two requests by node:http over a kept connection. */
async function benchLibrary() {
  const unpin = pinToOneCpu();
  const server = Server.start(SIDECAR);
  await server.untilAnswering();
  const raw = await AgentClient.connect(server.socketPath);
  const library = new UpdateLock({ url: `unix:${server.socketPath}` });
  const byHand = async () => {
    await raw.request('PUT', '/v1/leases/recorder', 'ttl=60&reason=recording');
    await raw.request('DELETE', '/v1/leases/recorder');
  };
  const byLibrary = async () => {
    await library.acquire({ name: 'recorder', ttl: 60, reason: 'recording' });
    await library.release('recorder');
  };
  const timesOf = (both) => async () => {
    const times = [];
    for (let i = 0; i < REQUESTS_A_ROUND; i += 1) {
      const start = process.hrtime.bigint();
      await both();
      times.push(Number(process.hrtime.bigint() - start) / 1000);
    }
    return times;
  };
  for (const both of [byHand, byLibrary]) for (let i = 0; i < WARM_UP_CYCLES; i += 1) await both();
  const { bare: rawUs, sidecar: libraryUs } = await inTurns(ROUNDS, timesOf(byHand), timesOf(byLibrary));
  report('acquire and release by the library, beside the same two requests', libraryUs / rawUs, 1.25, `${libraryUs.toFixed(0)} us, the requests ${rawUs.toFixed(0)} us`);
  raw.close();
  await server.stop();
  unpin();
}

async function benchShell() {
  const unpin = pinToOneCpu();
  const server = Server.start(SIDECAR);
  await server.untilAnswering();
  for (const shell of [['dash'], ['busybox', 'sh']]) {
    if (spawnSync(shell[0], [...shell.slice(1), '-c', 'exit 0']).error !== undefined) continue;
    const { bare: curlMs, sidecar: scriptMs } = await inTurns(RUNS, async () => [await timeOfCurl(server.socketPath)], async () => [await timeOfScript(shell, server.socketPath)]);
    report(`milliseconds of the shell script's run -- true beyond curl's, in ${shell.join(' ')}`, scriptMs - curlMs, 30, `${scriptMs.toFixed(0)} ms, curl ${curlMs.toFixed(0)} ms`);
  }
  await server.stop();
  unpin();
}

const BENCHES = { put: benchPut, memory: benchMemory, leases: benchManyLeases, start: benchStart, idle: benchIdle, events: benchEvents, retry: benchRetry, command: benchCommand, library: benchLibrary, shell: benchShell };
const wanted = process.argv.slice(2);
if (wanted[0] === 'peers') process.exit(runPeers(wanted.slice(1)));
for (const [name, bench] of Object.entries(BENCHES)) if (wanted.length === 0 || wanted.includes(name)) await bench();
if (wanted.includes('coordinator')) await benchCoordinator(report);
console.table(rows);
process.exitCode = rows.every(({ kept }) => kept !== 'NO') ? 0 : 1;
