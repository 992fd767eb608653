// Measures the coordinator on the file store and on an etcd of one and of three members: turns a second beside a queue, what a queue of
// 10,000 devices costs in memory and requests, and how etcd grows by the turns of many devices. Needs `etcd` in the PATH.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const QUEUES = [1, 100, 10_000];
const TURNS = 200;
const JOIN_AT_ONCE = 50;
const ADMIN = { Authorization: 'Bearer admin' };
/** Turns of 10,000 devices with a release a day between two compactions, an hour apart, and the hours of a week. */
const TURNS_AN_HOUR = 417;
const HOURS = 7 * 24;
const SLOTS = 10;

/** What has to end with this process, however it ends. */
const children = new Set();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

const agent = new Agent({ keepAlive: true });

function send(port, method, path, json, headers = {}) {
  const body = json === undefined ? '' : JSON.stringify(json);
  const type = json === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const all = { ...type, 'fleet-lock-protocol': 'true', ...headers };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, agent, headers: all }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, text, retryAfter: Number(response.headers['retry-after']) }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const ask = (port, id) => send(port, 'POST', '/v1/pre-reboot', { client_params: { id, group: 'default' } });
const giveBack = (port, id) => send(port, 'POST', '/v1/steady-state', { client_params: { id, group: 'default' } });

async function until(isSo) {
  while (!(await isSo().catch(() => false))) await sleep(20);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts an etcd of so many members. */
async function startEtcd(folder, count) {
  const members = [];
  for (let at = 0; at < count; at += 1) members.push({ name: `m${at}`, client: await freePort(), peer: await freePort() });
  const cluster = members.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(',');
  const processes = members.map(({ name, client, peer }) => spawn('etcd', [
    ...['--name', name, '--data-dir', join(folder, name), '--initial-cluster', cluster, '--log-level', 'error', '--logger', 'zap'],
    ...['--listen-client-urls', `http://127.0.0.1:${client}`, '--advertise-client-urls', `http://127.0.0.1:${client}`],
    ...['--listen-peer-urls', `http://127.0.0.1:${peer}`, '--initial-advertise-peer-urls', `http://127.0.0.1:${peer}`],
  ], { stdio: 'ignore' }));
  for (const each of processes) children.add(each);
  const ports = members.map(({ client }) => client);
  await until(async () => (await send(ports[0], 'POST', '/v3/kv/range', { key: 'YQ==' })).status === 200);
  return { ports, stop: () => processes.forEach((each) => each.kill('SIGKILL')) };
}

/** Starts a coordinator on its store; no members: the file store. */
async function start(members) {
  const folder = mkdtempSync(join(tmpdir(), 'update-lock-bench-'));
  const etcd = members === 0 ? null : await startEtcd(folder, members);
  const port = await freePort();
  const store = etcd === null ? `file:${join(folder, 'store')}` : `etcd:http://${etcd.ports.map((each) => `127.0.0.1:${each}`).join(',')}`;
  const environment = { PATH: process.env.PATH, COORDINATOR_STORE: store, COORDINATOR_HOST: '127.0.0.1', COORDINATOR_PORT: String(port), COORDINATOR_ADMIN_TOKEN: 'admin', COORDINATOR_LOG_LEVEL: 'warn' };
  const coordinator = spawn(process.execPath, ['dist/coordinator/main.js'], { env: environment, stdio: 'ignore' });
  children.add(coordinator);
  await until(async () => (await send(port, 'GET', '/readyz')).status === 200);
  return {
    port,
    etcd,
    residentMiB: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${coordinator.pid}/status`, 'utf8'))[1]) / 1024,
    stop: () => {
      coordinator.kill('SIGKILL');
      etcd?.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Lets devices join the queue of a paused group. */
async function joinQueue(port, ids) {
  const left = [...ids];
  await Promise.all(Array.from({ length: JOIN_AT_ONCE }, async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) await ask(port, id);
  }));
}

async function benchQueue(store, members, count, report) {
  const { port, residentMiB, stop } = await start(members);
  const ids = Array.from({ length: count }, (_, index) => `device-${index}`);
  await send(port, 'PUT', '/v1/groups/default', { slots: 1, paused: true }, ADMIN);
  const idleMiB = residentMiB();
  const joinedFromMs = performance.now();
  await joinQueue(port, ids);
  const joinedMs = performance.now() - joinedFromMs;
  // Each asks again: now all places are known, and what it is told is how often it will ask.
  let asksASecond = 0;
  for (let left = [...ids]; left.length > 0; left = left.slice(JOIN_AT_ONCE)) {
    for (const { retryAfter } of await Promise.all(left.slice(0, JOIN_AT_ONCE).map((id) => ask(port, id)))) asksASecond += 1 / retryAfter;
  }
  const queue = JSON.parse((await send(port, 'GET', '/v1/groups/default')).text).waiting.map(({ id }) => id);
  const fullMiB = residentMiB();
  await send(port, 'PUT', '/v1/groups/default', { paused: false }, ADMIN);
  const tookMs = [];
  const fromMs = performance.now();
  for (let turn = 0; turn < Math.max(count === 1 ? TURNS : 0, Math.min(count, TURNS)); turn += 1) {
    const id = queue[turn % queue.length];
    const askedMs = performance.now();
    // On a busy machine etcd may need longer for a long queue than the coordinator waits for it (503).
    await until(async () => (await ask(port, id)).status === 200);
    tookMs.push(performance.now() - askedMs);
    await giveBack(port, id);
  }
  const aSecond = tookMs.length / ((performance.now() - fromMs) / 1000);
  const p99 = tookMs.sort((a, b) => a - b)[Math.floor(tookMs.length * 0.99)];
  report(`turns a second on ${store}, ${count} in the queue`, aSecond, null, `a turn is given within ${p99.toFixed(0)} ms in 99 of 100 cases`);
  if (count === QUEUES.at(-1)) {
    report(`seconds in which ${count} devices join on ${store}`, joinedMs / 1000, null, `${JOIN_AT_ONCE} at once`);
    report(`requests a second of them on ${store}`, asksASecond, 50, 'by what each is told to wait');
    report(`MiB of the coordinator with them on ${store}`, fullMiB, null, `without ${idleMiB.toFixed(0)}`);
  }
  stop();
}

/** How etcd grows by turns when it is compacted every hour. */
async function benchGrowth(report) {
  const { port, etcd, stop } = await start(1);
  const status = async () => JSON.parse((await send(etcd.ports[0], 'POST', '/v3/maintenance/status', {})).text);
  const sizes = [];
  await send(port, 'PUT', '/v1/groups/default', { slots: SLOTS, paused: false }, ADMIN);
  for (let hour = 0; hour < HOURS; hour += 1) {
    let turns = 0;
    await Promise.all(Array.from({ length: SLOTS }, async () => {
      while (turns < TURNS_AN_HOUR) {
        const id = `device-${(turns += 1)}`;
        await until(async () => (await ask(port, id)).status === 200);
        await giveBack(port, id);
      }
    }));
    const { header } = await status();
    await send(etcd.ports[0], 'POST', '/v3/kv/compaction', { revision: header.revision, physical: true });
    sizes.push(Number((await status()).dbSize) / 1024);
  }
  const grown = sizes.at(-1);
  await send(etcd.ports[0], 'POST', '/v3/maintenance/defragment', {});
  const after = Number((await status()).dbSize) / 1024;
  report(`KiB of etcd after a week of ${TURNS_AN_HOUR} turns an hour`, grown, null, `after the first hour ${sizes[0].toFixed(0)}, at most ${Math.max(...sizes).toFixed(0)}, defragmented ${after.toFixed(0)}`);
  stop();
}

/** @param report as bench/run.mjs has it */
export async function benchCoordinator(report) {
  for (const [store, members] of [['the file store', 0], ['an etcd of one', 1], ['an etcd of three', 3]]) {
    for (const count of QUEUES) await benchQueue(store, members, count, report);
  }
  await benchGrowth(report);
  agent.destroy();
}
