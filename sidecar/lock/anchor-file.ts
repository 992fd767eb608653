import { closeSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import type { FileIdentity } from './classify';
import { HeldFlock } from './held-flock';
import type { LockUser } from './lock-user';

/** A file that is the anchor, or is about to become it: open, and flocked where that is possible. */
export class AnchorFile implements FileIdentity {
  readonly dev: number;
  readonly ino: number;
  readonly flock: HeldFlock;
  /** Whether others may have opened it as the lock, and wait for its flock. */
  wasLock: boolean;
  #length: number;

  /** Takes over an open file. */
  constructor(
    readonly fd: number,
    user: LockUser,
  ) {
    const { dev, ino, size, nlink } = fstatSync(fd);
    this.dev = dev;
    this.ino = ino;
    this.wasLock = nlink > 1;
    this.#length = size;
    this.flock = new HeldFlock(this, user);
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** How many names it has. */
  countNames(): number {
    return fstatSync(this.fd).nlink;
  }

  /** Replaces the content. Overwrites in place, which needs no space on a full disk. */
  write(text: string): void {
    const length = writeSync(this.fd, text, 0);
    if (length < this.#length) ftruncateSync(this.fd, length);
    this.#length = length;
  }

  close(keepFlock: boolean): void {
    this.flock.release(keepFlock);
    closeSync(this.fd);
  }
}
