import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from './free-port';
import type { Network } from './network';
import { removeFolder } from './remove-folder';
import { makeFolder } from './sidecar';
import { until } from './until';

export interface Member {
  readonly name: string;
  readonly clientUrl: string;
  /** Where it listens for the others. */
  readonly peerUrl: string;
  /** Where the others look for it. */
  readonly advertisedPeerUrl: string;
  process: ChildProcess | null;
}

/** A real etcd of one or more members, each a process of its own, with its data on a tmpfs. */
export class Etcd {
  readonly #folder = makeFolder();
  readonly members: Member[] = [];

  private constructor(private readonly options: readonly string[]) {}

  static start(count = 1, ...options: readonly string[]): Promise<Etcd> {
    return Etcd.#start(count, null, options);
  }

  /** Starts one whose members reach each other through a network, in which they have their names: `m0` and so on. */
  static async startOn(network: Network, count: number, ...options: readonly string[]): Promise<Etcd> {
    const etcd = await Etcd.#start(count, network, options);
    const { members } = (await etcd.ask('/v3/cluster/member/list', {})) as { members: { name: string; ID: string }[] };
    for (const { name, ID: id } of members) network.alias(BigInt(id).toString(16), name);
    return etcd;
  }

  static async #start(count: number, network: Network | null, options: readonly string[]): Promise<Etcd> {
    const etcd = new Etcd(options);
    for (let index = 0; index < count; index += 1) {
      const name = `m${String(index)}`;
      const [client, peer] = [await freePort(), await freePort()];
      const advertised = network === null ? peer : await network.open(null, name, peer);
      const [clientUrl = '', peerUrl = '', advertisedPeerUrl = ''] = [client, peer, advertised].map((port) => `http://127.0.0.1:${String(port)}`);
      etcd.members.push({ name, clientUrl, peerUrl, advertisedPeerUrl, process: null });
    }
    for (const member of etcd.members) etcd.startMember(member);
    await until(() => etcd.isHealthy(), 20_000);
    return etcd;
  }

  startMember(member: Member, more: readonly string[] = []): void {
    const cluster = this.members.map(({ name, advertisedPeerUrl }) => `${name}=${advertisedPeerUrl}`).join(',');
    const own = ['--listen-client-urls', member.clientUrl, '--advertise-client-urls', member.clientUrl, '--listen-peer-urls', member.peerUrl];
    member.process = spawn('etcd', [
      '--name', member.name, '--data-dir', join(this.#folder, member.name), ...own, '--initial-advertise-peer-urls', member.advertisedPeerUrl,
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
    const response = await fetch(`${member?.clientUrl ?? ''}${path}`, { method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(5000) });
    return response.json();
  }

  async isHealthy(): Promise<boolean> {
    try {
      return (await this.ask('/v3/kv/range', { key: 'YQ==' })).header !== undefined;
    } catch {
      return false;
    }
  }

  /** The member that leads the others, as far as a member that can be asked knows. */
  async leader(): Promise<Member | null> {
    for (const member of this.members) {
      const status = await this.ask('/v3/maintenance/status', {}, member).catch(() => ({})) as { leader?: string; header?: { member_id: string } };
      if (status.leader !== undefined && status.leader === status.header?.member_id) return member;
    }
    return null;
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
