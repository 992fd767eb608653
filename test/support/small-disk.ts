import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './sidecar';

/** A tmpfs of its own, so that a full disk is a real one. Needs root, as the tests of the tools do. */
export class SmallDisk {
  readonly path: string;
  readonly #folder = makeFolder();

  /** @param size such as `64k`, with more options of the mount after a comma */
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

  /** Leaves no file to be made, nor a link, which counts as one on a tmpfs. Quick where the mount has few, by `nr_inodes`. */
  fillFiles(): void {
    try {
      mkdirSync(this.#files, { recursive: true });
      for (let i = 0; ; i += 1) writeFileSync(join(this.#files, String(i)), '');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  makeRoom(): void {
    rmSync(this.#ballast, { force: true });
    rmSync(this.#files, { force: true, recursive: true });
  }

  remove(): void {
    run('umount', this.path);
    rmSync(this.#folder, { recursive: true });
  }

  get #ballast(): string {
    return join(this.path, 'ballast');
  }

  get #files(): string {
    return join(this.path, 'ballast-files');
  }
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}
