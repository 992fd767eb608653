import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { removeFolder } from './remove-folder';
import { makeFolder } from './sidecar';
import { until } from './until';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface Member {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  process: ChildProcess | null;
}

/** A real etcd of one or more members, each a process of its own, with its data on a tmpfs. */
export class Etcd {
  readonly #folder = makeFolder();
  readonly members: Member[] = [];

  private constructor(private readonly options: readonly string[]) {}

  static async start(count = 1, ...options: readonly string[]): Promise<Etcd> {
    const etcd = new Etcd(options);
    for (let index = 0; index < count; index += 1) {
      const [client, peer] = [await freePort(), await freePort()];
      etcd.members.push({ name: `m${String(index)}`, clientUrl: `http://127.0.0.1:${String(client)}`, peerUrl: `http://127.0.0.1:${String(peer)}`, process: null });
    }
    for (const member of etcd.members) etcd.startMember(member);
    await until(async () => (await etcd.isHealthy()), 20_000);
    return etcd;
  }

  startMember(member: Member, more: readonly string[] = []): void {
    const cluster = this.members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
    const own = ['--listen-client-urls', member.clientUrl, '--advertise-client-urls', member.clientUrl, '--listen-peer-urls', member.peerUrl];
    member.process = spawn('etcd', [
      '--name', member.name, '--data-dir', join(this.#folder, member.name), ...own, '--initial-advertise-peer-urls', member.peerUrl,
      '--initial-cluster', cluster, '--heartbeat-interval', '50', '--election-timeout', '500', '--unsafe-no-fsync', '--logger', 'zap', '--log-level', 'error', ...this.options, ...more,
    ], { stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '', ETCD_UNSUPPORTED_ARCH: process.arch } });
  }

  async killMember(member: Member): Promise<void> {
    const { process: running } = member;
    member.process = null;
    if (running === null) return;
    running.kill('SIGCONT');
    running.kill('SIGKILL');
    if (running.exitCode === null && running.signalCode === null) await once(running, 'exit');
  }

  get endpoints(): string[] {
    return this.members.map(({ clientUrl }) => clientUrl);
  }

  /** The setting of a coordinator that uses it. */
  get store(): string {
    return `etcd:${new URL(this.endpoints[0] ?? '').protocol}//${this.endpoints.map((url) => new URL(url).host).join(',')}`;
  }

  /** Asks a member directly. */
  async ask(path: string, body: unknown, member = this.members[0]): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
    const response = await fetch(`${member?.clientUrl ?? ''}${path}`, { method: 'POST', body: JSON.stringify(body) });
    return response.json();
  }

  async isHealthy(): Promise<boolean> {
    try {
      return (await this.ask('/v3/kv/range', { key: 'YQ==' })).header !== undefined;
    } catch {
      return false;
    }
  }

  async revision(): Promise<number> {
    return Number((await this.ask('/v3/kv/range', { key: 'YQ==' })).header.revision);
  }

  /** Starts the one member again, with TLS for its clients, who need a certificate, too. */
  async restartWithTls({ ca, cert, key }: { readonly ca: string; readonly cert: string; readonly key: string }): Promise<void> {
    const [member] = this.members;
    if (member === undefined) throw new Error('there is no member');
    await this.killMember(member);
    Object.assign(member, { clientUrl: member.clientUrl.replace('http:', 'https:') });
    this.startMember(member, ['--cert-file', cert, '--key-file', key, '--trusted-ca-file', ca, '--client-cert-auth']);
  }

  async stop(): Promise<void> {
    for (const member of this.members) await this.killMember(member);
    await removeFolder(this.#folder);
  }
}
