import { execFileSync } from 'node:child_process';
import { runName } from '../support/test-run';

/** A network of two, as containers on one bridge see each other: a namespace each, and a cable between them. */
export class Network {
  static readonly addresses = ['172.31.255.2', '172.31.255.3'] as const;
  readonly namespaces: readonly [string, string];

  constructor() {
    const name = `${runName()}-${String(process.pid)}`;
    this.namespaces = [`${name}-a`, `${name}-b`];
    const [a, b] = this.namespaces;
    for (const namespace of this.namespaces) ip('netns', 'add', namespace);
    ip('-n', a, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', b);
    this.namespaces.forEach((namespace, index) => {
      ip('-n', namespace, 'address', 'add', `${Network.addresses[index] ?? ''}/24`, 'dev', 'eth0');
      for (const device of ['lo', 'eth0']) ip('-n', namespace, 'link', 'set', device, 'up');
    });
  }

  remove(): void {
    for (const namespace of this.namespaces) ip('netns', 'delete', namespace);
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
