// What the sidecar costs by itself: start, memory, many leases, streams and waiting requests, its share of the image.
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RawClient } from '../client.mjs';
import { BARE, compileCache, Server, SIDECAR } from '../server.mjs';

const CONNECTIONS = 4;
const POINTS = 20;
const PAIRS_A_ROUND = 100;

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Milliseconds until a lock is held and until the API answers, beside a bare server. */
export async function startTimes(times) {
  const hold = { UPDATE_LOCK_HOLD_ON_START: '1m', UPDATE_LOCK_ON_STOP: 'release' };
  const took = { held: [], answering: [], bare: [] };
  for (let i = 0; i < times; i += 1) {
    for (const [what, kind] of [['held', SIDECAR], ['answering', SIDECAR], ['bare', BARE]]) {
      const server = Server.start(kind, what === 'held' ? hold : {});
      took[what].push(await (what === 'held' ? server.untilHeld() : server.untilAnswering()));
      await server.untilAnswering();
      await server.stop();
    }
  }
  return Object.fromEntries(Object.entries(took).map(([what, values]) => [what, median(values)]));
}

/** In MiB: what is resident, and how much of it is not of files. */
function memoryOf(server) {
  return { mib: server.residentMiB(), ownMib: server.ownMiB() };
}

/** Memory of the bare server, which has nothing to do. */
export async function bareMemory() {
  const server = Server.start(BARE);
  await server.untilAnswering();
  const memory = memoryOf(server);
  await server.stop();
  return memory;
}

/** Memory over so many requests, each pair of which takes and releases a lease of a new name. */
export async function memoryOver(requests) {
  const server = Server.start(SIDECAR);
  await server.untilAnswering();
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => RawClient.connect(server.socketPath)));
  const points = [{ requests: 0, ...memoryOf(server) }];
  const pairs = requests / POINTS / 2 / CONNECTIONS;
  for (let point = 1; point <= POINTS; point += 1) {
    const some = async (client, index) => {
      for (let i = 0; i < pairs; i += 1) await pair(client, `lease-${point}-${index}-${i}`);
    };
    await Promise.all(clients.map(some));
    points.push({ requests: (requests / POINTS) * point, ...memoryOf(server) });
  }
  for (const client of clients) client.close();
  await server.stop();
  return points;
}

async function pair(client, name) {
  const { microseconds: taking } = await client.request('PUT', `/v1/leases/${name}`, 'ttl=60&reason=recording');
  const { microseconds: releasing } = await client.request('DELETE', `/v1/leases/${name}`);
  return taking + releasing;
}

/**
 * Microseconds of acquire and release among so many other things, taken in turns.
 * @param prepare gets a server and one of `sizes`, and returns how to undo what it did
 */
async function among(sizes, rounds, prepare) {
  const environment = { UPDATE_LOCK_MAX_LEASES: '20000', UPDATE_LOCK_ON_STOP: 'release' };
  const sides = [];
  for (const size of sizes) {
    const server = Server.start(SIDECAR, environment);
    await server.untilAnswering();
    const client = await RawClient.connect(server.socketPath);
    sides.push({ size, server, client, undo: await prepare(server, size, client), took: [] });
  }
  for (let round = 0; round <= rounds; round += 1) {
    for (const { client, took } of sides) {
      for (let i = 0; i < PAIRS_A_ROUND; i += 1) {
        const microseconds = await pair(client, 'recorder');
        if (round > 0) took.push(microseconds);
      }
    }
  }
  for (const { server, client, undo } of sides) {
    client.close();
    undo?.();
    await server.stop();
  }
  return sides.map(({ size, took }) => ({ size, microseconds: median(took) }));
}

export function amongLeases(sizes, rounds) {
  return among(sizes, rounds, async (_server, size, client) => {
    for (let i = 0; i < size; i += 1) await client.request('PUT', `/v1/leases/lease-${i}`, `ttl=${3600 + (i % 977)}`);
  });
}

export function amongStreams(sizes, rounds) {
  return among(sizes, rounds, async (server, size) => {
    if (size === 0) return undefined;
    const readers = fork(new URL('../readers.mjs', import.meta.url), [server.socketPath, String(size)]);
    await new Promise((resolve, reject) => {
      readers.once('message', resolve);
      readers.once('exit', () => reject(new Error('the readers of events have ended')));
    });
    return () => readers.kill();
  });
}

/** Milliseconds from the end of another program's lock until the last of so many waiting requests is granted. */
export async function untilAllAreGranted(sizes) {
  const results = [];
  for (const size of sizes) {
    const server = Server.start(SIDECAR, { UPDATE_LOCK_MAX_LEASES: '2000', UPDATE_LOCK_ON_STOP: 'release' });
    await server.untilAnswering();
    const foreign = join(server.directory, 'updates.lock');
    writeFileSync(foreign, '');
    const clients = [];
    for (let i = 0; i < size; i += 1) clients.push(await RawClient.connect(server.socketPath));
    const granted = clients.map((client, i) => client.request('PUT', `/v1/leases/waiter-${i}`, 'ttl=60&wait=60'));
    // All have arrived, and the kernel has told of the other program's file.
    await sleep(1000);
    const startMs = performance.now();
    unlinkSync(foreign);
    await Promise.all(granted);
    results.push({ size, milliseconds: performance.now() - startMs });
    for (const client of clients) client.close();
    await server.stop();
  }
  return results;
}

/** Bytes that the image adds to its base, and how much of that is the compile cache of the sidecar. */
export function imageBytes() {
  const folder = mkdtempSync(join(tmpdir(), 'update-lock-bench-'));
  const root = fileURLToPath(new URL('../..', import.meta.url));
  execFileSync('sh', ['image/assemble', folder], { cwd: root });
  const [files, cache] = [bytesIn(folder), bytesIn(compileCache)];
  rmSync(folder, { recursive: true });
  return { files, cache };
}

function bytesIn(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
