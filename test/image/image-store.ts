import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** What a build can be given. */
export interface BuildOptions {
  readonly context: string;
  /** The Dockerfile, if it is not the context's. */
  readonly file?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

/** What an image says of how it wants to be run; the names are Docker's. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[] | null;
  readonly Cmd: readonly string[] | null;
  readonly Labels: Readonly<Record<string, string>>;
  readonly StopSignal: string;
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
  readonly Healthcheck?: { readonly Test: readonly string[]; readonly Interval: number; readonly Timeout: number };
}

/** Images of one test, in a folder of their own: `buildah`, without a daemon. */
export class ImageStore {
  readonly #roots = new Map<string, string>();

  constructor(private readonly folder: string) {}

  /** Builds an image by its Dockerfile, and returns what the build printed. */
  async build(tag: string, { context, file = join(context, 'Dockerfile'), args = {}, volumes = [] }: BuildOptions): Promise<string> {
    const { stdout, stderr } = await execute(
      'buildah',
      [
        ...this.#where(),
        'bud',
        // In a chroot: it needs no other rights, and the network is the machine's. Only Docker's format knows HEALTHCHECK.
        ...['--isolation', 'chroot', '--format', 'docker', '--pull-never', '--file', file, '--tag', tag],
        ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
        ...volumes.flatMap((volume) => ['--volume', volume]),
        context,
      ],
      { maxBuffer: 64 * 1024 * 1024 },
    );
    return stdout + stderr;
  }

  config(tag: string): ImageConfig {
    const inspected = JSON.parse(this.#run('inspect', '--type', 'image', tag)) as { Docker: { config: ImageConfig } };
    return inspected.Docker.config;
  }

  /** The bytes of each layer, as they lie on the disk of a device, the lowest first. */
  layerBytes(tag: string): number[] {
    const to = join(this.folder, 'exported');
    this.#run('push', '--disable-compression', tag, `dir:${to}`);
    const { layers } = JSON.parse(readFileSync(join(to, 'manifest.json'), 'utf8')) as { layers: { size: number }[] };
    rmSync(to, { recursive: true });
    return layers.map(({ size }) => size);
  }

  /** A folder with what is in the image, the same for everybody who asks: nobody may write to it. */
  rootOf(tag: string): string {
    const root = this.#roots.get(tag) ?? this.#run('mount', this.#run('from', '--pull-never', tag));
    this.#roots.set(tag, root);
    return root;
  }

  remove(): void {
    this.#run('rm', '--all');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #run(...args: string[]): string {
    return execFileSync('buildah', [...this.#where(), ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  }

  #where(): string[] {
    const [root, runroot] = [join(this.folder, 'store'), join(this.folder, 'run')];
    mkdirSync(root, { recursive: true });
    return ['--root', root, '--runroot', runroot, '--storage-driver', 'vfs'];
  }
}
