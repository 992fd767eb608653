import type { FileIdentity } from './classify';
import { flock, type FlockResult } from './flock';
import { endGuard, findGuards, Guard, isGuardOf } from './guard';
import type { LockUser } from './lock-user';

/**
 * The flock of one file: our own, with a guard that keeps it if we are killed; or one that the guard of a sidecar
 * which was killed keeps for us. That guard goes on holding it without a gap for as long as the file is the lock.
 */
export class HeldFlock {
  #guard: Guard | undefined;
  #inherited: readonly number[] = [];
  #problem: string | null = 'the flock was not taken yet';

  constructor(
    private readonly file: FileIdentity & { readonly fd: number },
    private readonly user: LockUser,
  ) {}

  /** Why the flock is not held, null if it is. */
  get problem(): string | null {
    if (this.#guard !== undefined || this.#problem !== null) return this.#problem;
    const isAlive = this.#inherited.some((pid) => isGuardOf(pid, this.file, this.user));
    return isAlive ? null : 'the process that kept the flock has ended';
  }

  /** Whether a guard of a former process holds it: nothing tells us when that guard ends. */
  get isInherited(): boolean {
    return this.#inherited.length > 0;
  }

  /** To be called when the flock was taken together with others. */
  locked(): void {
    this.#inherited = [];
    this.#problem = null;
    this.#guard ??= new Guard(this.file, this.user);
  }

  /** Takes the flock if it is not held. */
  hold(): string | null {
    if (this.problem !== null) this.#settle(this.user.actAsStarted(() => flock([this.file.fd])));
    return this.#problem;
  }

  /** Gives the flock up, unless it is to outlive us. */
  release(keep: boolean): void {
    this.#guard?.release(keep);
    if (!keep) for (const pid of this.#inherited) endGuard(pid, this.user);
  }

  #settle(result: FlockResult): void {
    if (result.kind === 'locked') {
      this.locked();
      return;
    }
    this.#inherited = result.kind === 'conflict' ? findGuards(this.file, this.user) : [];
    if (this.#inherited.length > 0) this.#problem = null;
    else this.#problem = result.kind === 'failed' ? result.detail : 'another process holds flock(2) on the lock file';
  }
}
