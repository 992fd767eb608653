import type { FileIdentity } from './classify';
import { flock, type FlockResult } from './flock';
import { endGuard, findGuards, Guard, isGuardOf } from './guard';
import type { Owner } from './owner';

/** How often the flock is tried again after the guard that had it was ended: the kernel closes its files soon, not at once. */
const ATTEMPTS = 10;

/**
 * The flock of one anchor: our own, with a guard that keeps it if we are killed; or one that the guard of a sidecar
 * which was killed keeps for us. That guard goes on holding it without a gap, until the lock is free and nobody minds.
 */
export class HeldFlock {
  #guard: Guard | undefined;
  #inherited: readonly number[] = [];
  #problem: string | null = 'the flock was not taken yet';

  constructor(
    private readonly anchor: FileIdentity & { readonly fd: number },
    private readonly owner: Owner,
  ) {}

  /** What is wrong, null if the flock is held. */
  get problem(): string | null {
    if (this.#guard !== undefined || this.#problem !== null) return this.#problem;
    const isAlive = this.#inherited.some((pid) => this.#asRoot(() => isGuardOf(pid, this.anchor)));
    return isAlive ? null : 'the process that kept the flock has ended';
  }

  /** Whether a guard of a former process has it: nothing tells us if that ends. */
  get isInherited(): boolean {
    return this.#inherited.length > 0;
  }

  /** To be told of an attempt that was made for several anchors at once. */
  locked(): void {
    this.#inherited = [];
    this.#problem = null;
    // As whoever we were at the start, or a next process might not be allowed to recognise it.
    this.#guard ??= this.#asRoot(() => new Guard(this.anchor.fd));
  }

  /** Takes the flock if it is not held. */
  hold(): string | null {
    if (this.problem === null) return null;
    this.#settle(this.#asRoot(() => flock([this.anchor.fd])));
    return this.#problem;
  }

  /** Takes the flock over from an inherited guard. It is free for a moment meanwhile, so the lock has to be. */
  takeOver(): void {
    if (!this.isInherited) return;
    for (const pid of this.#inherited) endGuard(pid);
    this.#inherited = [];
    for (let attempt = 0; attempt < ATTEMPTS && this.#guard === undefined; attempt += 1) {
      this.#settle(this.#asRoot(() => flock([this.anchor.fd])));
    }
  }

  /** Gives the flock up, unless it is to outlive us. */
  release(keep: boolean): void {
    this.#guard?.release(keep);
    if (!keep) for (const pid of this.#inherited) endGuard(pid);
  }

  #settle(result: FlockResult): void {
    if (result.kind === 'locked') {
      this.locked();
      return;
    }
    this.#inherited = result.kind === 'conflict' ? this.#asRoot(() => findGuards(this.anchor)) : [];
    if (this.#inherited.length > 0) this.#problem = null;
    else this.#problem = result.kind === 'failed' ? result.detail : 'another process holds flock(2) on the lock file';
  }

  #asRoot<T>(action: () => T): T {
    return this.owner.actAsStarted(action);
  }
}
