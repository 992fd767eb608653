import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { O_PATH } from '../../server/trusted-directory';
import type { FileIdentity } from '../../sidecar/lock/classify';

/** An open file description: what a flock belongs to, shared by the processes that have inherited it. */
interface Description {
  readonly file: string;
  holders: number;
}

interface Guard {
  readonly pid: number;
  readonly file: string;
  readonly description: Description;
  /** Keeps the file open, so that its names can be counted. */
  readonly fd: number;
}

/**
 * `flock(2)` and the guards, imitated in this process: a real one costs some milliseconds, and there is one at each start.
 * `imitations.test.ts` compares it with the kernel's and with real guards.
 */
export class Kernel {
  readonly #byFd = new Map<number, Description>();
  readonly #owners = new Map<string, Description>();
  readonly #another: Description = { file: '', holders: 1 };
  #guards: Guard[] = [];
  #lastPid = 0;

  /** Takes the flock of an open file; false if another description has it. */
  flock(fd: number): boolean {
    const description = this.#descriptionOf(fd);
    const owner = this.#owners.get(description.file) ?? description;
    this.#owners.set(description.file, owner);
    return owner === description;
  }

  /** Whether somebody has the flock of that file, as the host OS would find out. */
  isFlocked(file: FileIdentity): boolean {
    return this.#owners.has(keyOf(file));
  }

  /** A process outside of the container takes the flock, and keeps it. */
  flockByAnother(file: FileIdentity): void {
    this.#owners.set(keyOf(file), this.#another);
  }

  anotherLetsGo(): void {
    for (const [file, owner] of this.#owners) if (owner === this.#another) this.#owners.delete(file);
  }

  isAnothers(file: FileIdentity): boolean {
    return this.#owners.get(keyOf(file)) === this.#another;
  }

  /** To be called when a descriptor is closed. */
  closed(fd: number): void {
    const description = this.#byFd.get(fd);
    if (description === undefined) return;
    this.#byFd.delete(fd);
    this.#drop(description);
  }

  startGuard(file: FileIdentity & { readonly fd: number }): number {
    const description = this.#descriptionOf(file.fd);
    description.holders += 1;
    this.#lastPid += 1;
    const fd = openSync(`/proc/self/fd/${String(file.fd)}`, O_PATH | constants.O_RDONLY);
    this.#guards.push({ pid: this.#lastPid, file: keyOf(file), description, fd });
    return this.#lastPid;
  }

  guardsOf(file: FileIdentity): number[] {
    return this.#guards.filter((guard) => guard.file === keyOf(file)).map(({ pid }) => pid);
  }

  endGuard(pid: number): void {
    this.#endGuards((guard) => guard.pid === pid);
  }

  /** Guards whose sidecar has died end when their file has no name but that of the anchor. */
  endNeedlessGuards(): void {
    this.#endGuards(({ fd }) => fstatSync(fd).nlink <= 1);
  }

  endAllGuards(): void {
    this.#endGuards(() => true);
  }

  #endGuards(isToEnd: (guard: Guard) => boolean): void {
    const ending = this.#guards.filter(isToEnd);
    this.#guards = this.#guards.filter((guard) => !ending.includes(guard));
    for (const { fd, description } of ending) {
      closeSync(fd);
      this.#drop(description);
    }
  }

  #descriptionOf(fd: number): Description {
    const known = this.#byFd.get(fd);
    if (known !== undefined) return known;
    const description = { file: keyOf(fstatSync(fd)), holders: 1 };
    this.#byFd.set(fd, description);
    return description;
  }

  #drop(description: Description): void {
    description.holders -= 1;
    if (description.holders === 0 && this.#owners.get(description.file) === description) this.#owners.delete(description.file);
  }
}

function keyOf({ dev, ino }: FileIdentity): string {
  return `${String(dev)}:${String(ino)}`;
}

/** The kernel of the present case, and the user who the sidecar is. */
export const machine = { kernel: new Kernel(), uid: 0 };
