// Starts all servers that are compared, each with a folder of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BARE, DURABLE, memoryFolder, Server, SIDECAR } from '../server.mjs';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Another program's server. Its data is on a disk, since `fsync` does nothing in memory. */
class Peer {
  constructor(command, port, args) {
    this.port = port;
    this.data = mkdtempSync(join(tmpdir(), 'update-lock-bench-'));
    this.process = spawn(command, args(this.data), { stdio: 'ignore' });
  }

  async untilListening() {
    for (;;) {
      const socket = connect(this.port, '127.0.0.1');
      const isOpen = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
      socket.destroy();
      if (isOpen) return;
      if (this.process.exitCode !== null) throw new Error(`${this.process.spawnargs.join(' ')} exited ${this.process.exitCode}`);
      await sleep(20);
    }
  }

  async stop() {
    if (this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      await once(this.process, 'exit');
    }
    rmSync(this.data, { recursive: true, force: true });
  }
}

async function startRedis(...options) {
  const port = await freePort();
  return new Peer('redis-server', port, (data) => ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', data, ...options]);
}

async function startEtcd() {
  const [port, peerPort] = [await freePort(), await freePort()];
  const [url, peerUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  return new Peer('etcd', port, (data) => [
    ...['--data-dir', data, '--listen-client-urls', url, '--advertise-client-urls', url, '--log-level', 'error'],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `default=${peerUrl}`],
  ]);
}

/** @returns where each of them is, for the contenders, and how to stop them all */
export async function startServers() {
  const port = await freePort();
  const sidecar = Server.start(SIDECAR, { UPDATE_LOCK_HOST: '127.0.0.1', UPDATE_LOCK_PORT: String(port), UPDATE_LOCK_ON_STOP: 'release' });
  const [bare, durable] = [Server.start(BARE), Server.start(DURABLE)];
  const redis = await startRedis('--appendonly', 'no');
  const redisFsync = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
  const etcd = await startEtcd();
  const folder = mkdtempSync(join(memoryFolder, 'update-lock-bench-'));
  const [ours, peers] = [[sidecar, bare, durable], [redis, redisFsync, etcd]];
  for (const server of ours) await server.untilAnswering();
  for (const peer of peers) await peer.untilListening();
  return {
    where: {
      folder,
      sidecar: { socketPath: sidecar.socketPath, port },
      bare: { socketPath: bare.socketPath },
      durable: { socketPath: durable.socketPath },
      redisPort: redis.port,
      redisFsyncPort: redisFsync.port,
      etcdPort: etcd.port,
    },
    stop: async () => {
      await Promise.all([...ours, ...peers].map((server) => server.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
