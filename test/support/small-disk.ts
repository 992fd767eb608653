import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './sidecar';

/** A tmpfs of its own, so that a full disk is a real one. Needs root, as the tests of the tools do. */
export class SmallDisk {
  readonly path: string;
  readonly #folder = makeFolder();

  constructor(size: string) {
    this.path = join(this.#folder, 'disk');
    mkdirSync(this.path);
    run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', this.path);
  }

  /** Leaves no page free. */
  fill(): void {
    const fd = openSync(this.#ballast, 'a');
    try {
      while (writeSync(fd, Buffer.alloc(4096)) === 4096);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(fd);
    }
  }

  makeRoom(): void {
    rmSync(this.#ballast, { force: true });
  }

  remove(): void {
    run('umount', this.path);
    rmSync(this.#folder, { recursive: true });
  }

  get #ballast(): string {
    return join(this.path, 'ballast');
  }
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}
