// Every way to acquire and release a lock that is compared, as an app would do it. Each client has a lock of its own: what is compared
// is the cost of a lock, not how long others hold it.
import { spawn } from 'node:child_process';
import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UpdateLock } from '../../client/dist/index.mjs';
import { AgentClient, RawClient } from '../client.mjs';

const COMMAND = fileURLToPath(new URL('../../client/dist/cli.cjs', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../../client/sh/update-lock', import.meta.url));
const TTL_MS = 60_000;

/** Two requests over a kept connection. */
async function byHttp(Client, target, name) {
  const client = await Client.connect(target);
  const path = `/v1/leases/${name}`;
  return {
    cycle: async () => {
      await client.request('PUT', path, 'ttl=60&reason=recording');
      await client.request('DELETE', path);
    },
    close: () => client.close(),
  };
}

/** A script of a shell, started for each pair: the start of dash is in the figures. */
function byShell(script, environment = {}) {
  const env = { PATH: process.env.PATH, ...environment };
  const cycle = () =>
    new Promise((resolve, reject) => {
      const child = spawn('dash', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe'], env });
      let said = '';
      child.stderr.on('data', (chunk) => (said += chunk));
      child.once('error', reject);
      child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${script} exited ${code}: ${said}`))));
    });
  return { cycle, isProcess: true };
}

function byLibrary({ sidecar }, name) {
  const lock = new UpdateLock({ url: `unix:${sidecar.socketPath}` });
  return {
    cycle: async () => {
      await lock.acquire({ name, ttl: 60, reason: 'recording' });
      await lock.release(name);
    },
  };
}

function byHold({ sidecar }, name) {
  const lock = new UpdateLock({ url: `unix:${sidecar.socketPath}` });
  return {
    cycle: async () => {
      const hold = await lock.hold({ name, reason: 'recording' });
      await hold.release();
    },
  };
}

function byCurl({ sidecar }, name) {
  const curl = `curl -qsf --unix-socket ${sidecar.socketPath} http://localhost/v1/leases/${name}`;
  return byShell(`${curl} -X PUT -d ttl=60 -d reason=recording && ${curl} -X DELETE`);
}

function byRun(command, { sidecar }, name) {
  return byShell(`${command} run --name ${name} -- true`, { UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` });
}

async function byNpmLockfile({ folder }, name) {
  const { default: lockfile } = await import('lockfile');
  const path = join(folder, `npm-${name}.lock`);
  const settled = (call) => new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())));
  return {
    cycle: async () => {
      await settled((done) => lockfile.lock(path, {}, done));
      await settled((done) => lockfile.unlock(path, done));
    },
  };
}

async function byProperLockfile({ folder }, name) {
  const { default: lockfile } = await import('proper-lockfile');
  const path = join(folder, `proper-${name}`);
  writeFileSync(path, '');
  return {
    cycle: async () => {
      const release = await lockfile.lock(path);
      await release();
    },
    close: () => unlinkSync(path),
  };
}

async function byRedlock(port, name) {
  const [{ default: Redis }, { default: Redlock }] = await Promise.all([import('ioredis'), import('redlock')]);
  const redis = new Redis(port, '127.0.0.1');
  const redlock = new Redlock([redis], { retryCount: 0 });
  return {
    cycle: async () => {
      const lock = await redlock.lock(name, TTL_MS);
      await lock.unlock();
    },
    close: () => redis.disconnect(),
  };
}

/** Its lock is a lease, a transaction that puts the key if it is new, and the end of the lease. */
async function byEtcd({ etcdPort }, name) {
  const { Etcd3 } = await import('etcd3');
  const client = new Etcd3({ hosts: `http://127.0.0.1:${etcdPort}` });
  return {
    cycle: async () => {
      const lock = await client.lock(name).ttl(TTL_MS / 1000).acquire();
      await lock.release();
    },
    close: () => client.close(),
  };
}

/**
 * `open` makes one client, given where the servers are and the name of its lock: `cycle` acquires and releases, `close` is there if
 * something has to be closed, `isProcess` says that each cycle starts processes.
 */
export const CONTENDERS = [
  { id: 'socket', label: 'two requests by `node:http`, Unix socket', isOurs: true, open: ({ sidecar }, name) => byHttp(AgentClient, sidecar.socketPath, name) },
  { id: 'tcp', label: 'two requests by `node:http`, TCP', isOurs: true, open: ({ sidecar }, name) => byHttp(AgentClient, { host: '127.0.0.1', port: sidecar.port }, name) },
  { id: 'bytes', label: 'two requests by ready-made bytes, Unix socket', isOurs: true, open: ({ sidecar }, name) => byHttp(RawClient, sidecar.socketPath, name) },
  { id: 'library', label: 'the library: `acquire`, `release`', isOurs: true, open: byLibrary },
  { id: 'hold', label: 'the library: `hold`', isOurs: true, open: byHold },
  { id: 'curl', label: '`curl`, twice', isOurs: true, open: byCurl },
  { id: 'command', label: 'the command: `update-lock run -- true`', isOurs: true, open: (where, name) => byRun(`${process.execPath} ${COMMAND}`, where, name) },
  { id: 'script', label: "the shell client's `run -- true`", isOurs: true, open: (where, name) => byRun(`exec dash ${SCRIPT}`, where, name) },
  { id: 'npm-lockfile', label: 'npm `lockfile`', open: byNpmLockfile },
  { id: 'proper-lockfile', label: 'npm `proper-lockfile`', open: byProperLockfile },
  { id: 'procmail', label: 'procmail: `lockfile`, then `rm`', open: ({ folder }, name) => byShell(`lockfile -r 0 ${folder}/procmail-${name} && rm -f ${folder}/procmail-${name}`) },
  { id: 'flock', label: '`flock FILE true`', open: ({ folder }, name) => byShell(`exec flock -n ${folder}/flock-${name} true`) },
  { id: 'redis', label: 'Redis and `redlock`, in memory', open: ({ redisPort }, name) => byRedlock(redisPort, name) },
  { id: 'redis-fsync', label: 'Redis and `redlock`, with `fsync`', open: ({ redisFsyncPort }, name) => byRedlock(redisFsyncPort, name) },
  { id: 'etcd', label: 'etcd and `etcd3`: lease, transaction, revoke', open: byEtcd },
  { id: 'bare', label: 'a bare `node:http` server', isFloor: true, open: ({ bare }, name) => byHttp(AgentClient, bare.socketPath, name) },
  { id: 'durable', label: 'the bare server with our looks and journal', isFloor: true, open: ({ durable }, name) => byHttp(AgentClient, durable.socketPath, name) },
  { id: 'bare-bytes', label: 'the bare server, by ready-made bytes', isFloor: true, open: ({ bare }, name) => byHttp(RawClient, bare.socketPath, name) },
  { id: 'durable-bytes', label: 'with our looks and journal, by ready-made bytes', isFloor: true, open: ({ durable }, name) => byHttp(RawClient, durable.socketPath, name) },
  { id: 'process', label: '`dash -c true`, which locks nothing', isFloor: true, open: () => byShell('true') },
];
