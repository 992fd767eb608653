// Measures the sidecar beside a bare node:http server that does the same to the disk, in the same run, since machines
// differ and their speed drifts. Prints a table of ratios with what we promise; exits 1 if a promise is not kept.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.mjs';
import { BARE, Server, SIDECAR } from './server.mjs';

const ROUNDS = 20;
const REQUESTS_A_ROUND = 250;
const STARTS = 15;
const IDLE_SECONDS = 10;

const rows = [];

function report(what, measured, limit, detail) {
  rows.push({ what, measured: measured.toFixed(2), limit: `<= ${limit}`, kept: measured <= limit ? 'yes' : 'NO', detail });
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

async function putsAndDeletes(client) {
  const puts = [];
  for (let i = 0; i < REQUESTS_A_ROUND; i += 1) {
    puts.push((await client.request('PUT', '/v1/leases/recorder', 'ttl=60&reason=recording')).microseconds);
    await client.request('DELETE', '/v1/leases/recorder');
  }
  return puts;
}

async function benchRequests() {
  const servers = [Server.start(BARE), Server.start(SIDECAR)];
  for (const server of servers) await server.untilAnswering();
  await sleep(2000);
  const idle = servers.map((server) => server.residentMiB());
  report('idle memory', idle[1] / idle[0], 1.35, `${idle[1].toFixed(1)} MiB, bare ${idle[0].toFixed(1)} MiB`);

  const clients = [];
  for (const { socketPath } of servers) clients.push(await Client.connect(socketPath));
  for (const client of clients) await putsAndDeletes(client);
  const put = await inTurns(ROUNDS, () => putsAndDeletes(clients[0]), () => putsAndDeletes(clients[1]));
  report('PUT that takes the lock', put.sidecar / put.bare, 1.4, `${put.sidecar.toFixed(0)} us, bare ${put.bare.toFixed(0)} us`);

  for (const client of clients) while ((client.count = (client.count ?? 2 * (ROUNDS + 1) * REQUESTS_A_ROUND)) < 20_000) {
    await client.request('PUT', '/v1/leases/recorder', 'ttl=60');
    client.count += 1;
  }
  const busy = servers.map((server) => server.residentMiB());
  report('memory after 20,000 requests', busy[1] / busy[0], 1.6, `${busy[1].toFixed(1)} MiB, bare ${busy[0].toFixed(1)} MiB`);
  for (const client of clients) client.close();
  for (const server of servers) await server.stop();
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
  report('start to the lock held', held.sidecar / held.bare, 1.5, `${held.sidecar.toFixed(0)} ms, bare answers after ${held.bare.toFixed(0)} ms`);
  const answering = await inTurns(STARTS, bareStart, () => startOnce(SIDECAR, {}, (server) => server.untilAnswering()));
  report('start to the API answering', answering.sidecar / answering.bare, 2.5, `${answering.sidecar.toFixed(0)} ms, bare ${answering.bare.toFixed(0)} ms`);
}

async function benchIdle() {
  for (const [what, form] of [['free', null], ['held', 'ttl=1h']]) {
    const server = Server.start(SIDECAR, { UPDATE_LOCK_ON_STOP: 'release' });
    await server.untilAnswering();
    if (form !== null) {
      const client = await Client.connect(server.socketPath);
      await client.request('PUT', '/v1/leases/recorder', form);
      client.close();
    }
    await sleep(3000);
    const before = server.wakeUps();
    await sleep(IDLE_SECONDS * 1000);
    const aSecond = (server.wakeUps() - before) / IDLE_SECONDS;
    report(`wake-ups a second, idle and ${what}`, aSecond, 2, `all threads, over ${IDLE_SECONDS} s`);
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
    const client = await Client.connect(server.socketPath);
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

await benchRequests();
await benchManyLeases();
await benchStart();
await benchIdle();
console.table(rows);
process.exitCode = rows.every(({ kept }) => kept === 'yes') ? 0 : 1;
