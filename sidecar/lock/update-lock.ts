import { closeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Anchor } from './anchor';
import { flock } from './flock';
import { inspectPath, type InspectedPath } from './inspected-path';
import type { LockUser } from './lock-user';
import { explain, codeOf } from './system-error';

/** The names that the readers of the lock look for, in the order in which the Supervisor takes them. */
const LOCK_FILES = ['updates.lock', 'resin-updates.lock'] as const;

export interface LockPaths {
  /** Where `updates.lock` and `resin-updates.lock` are taken. */
  readonly directory: string;
  /** One lock file more, on another file system; null for none. */
  readonly legacyPath: string | null;
}

export type TakeResult =
  | { readonly kind: 'taken' }
  | { readonly kind: 'blocked'; readonly by: InspectedPath }
  | { readonly kind: 'failed'; readonly detail: string };

export type OpenResult =
  | { readonly kind: 'open'; readonly lock: UpdateLock }
  /** Another sidecar serves this directory. */
  | { readonly kind: 'in-use' }
  | { readonly kind: 'failed'; readonly detail: string };

interface Name {
  readonly path: string;
  readonly anchor: Anchor;
}

/** The update lock on disk: every one of its names, or none. All of it synchronous; on a tmpfs it takes microseconds. */
export class UpdateLock {
  /** Why it is not known that no other sidecar serves this directory; null if none does. */
  #instanceProblem: string | null = null;

  private constructor(
    private readonly user: LockUser,
    private readonly instanceFd: number,
    /** The anchor of the lock directory. Its folder also has the files that must last as long as the lock files. */
    readonly main: Anchor,
    private readonly anchors: readonly Anchor[],
    private readonly names: readonly Name[],
  ) {}

  /**
   * Makes directory and anchors ready, and takes their flock. That the flock cannot be had is no reason not to open: a
   * lock that is on disk must be seen, and given back, all the same. Takes no lock.
   */
  static open(paths: LockPaths, user: LockUser): OpenResult {
    const anchors: Anchor[] = [];
    let instanceFd: number | undefined;
    try {
      const lockFiles = LOCK_FILES.map((file) => join(paths.directory, file));
      const main = new Anchor(paths.directory, lockFiles, user, true);
      anchors.push(main);
      const names = lockFiles.map((path) => ({ path, anchor: main }));
      if (paths.legacyPath !== null) {
        const legacy = new Anchor(dirname(paths.legacyPath), [paths.legacyPath], user, false);
        anchors.push(legacy);
        names.push({ path: paths.legacyPath, anchor: legacy });
      }
      instanceFd = main.open('instance');
      const lock = new UpdateLock(user, instanceFd, main, anchors, names);
      if (lock.#flockAll()) return { kind: 'open', lock };
      lock.close(true);
      return { kind: 'in-use' };
    } catch (error) {
      for (const anchor of anchors) anchor.close(true);
      if (instanceFd !== undefined) closeSync(instanceFd);
      return { kind: 'failed', detail: explain(error, paths.directory) };
    }
  }

  /** Takes all flocks with one command; false if another sidecar has that of the instance. */
  #flockAll(): boolean {
    const result = this.user.actAsStarted(() => flock([this.instanceFd, ...this.anchors.map(({ fd }) => fd)]));
    if (result.kind === 'conflict' && result.index === 0) return false;
    if (result.kind === 'failed') this.#instanceProblem = result.detail;
    for (const anchor of this.anchors) {
      if (result.kind === 'locked') anchor.flock.locked();
      else anchor.flock.hold();
    }
    return true;
  }

  /** Takes every name or none; never replaces what stands at one. */
  take(): TakeResult {
    for (const [index, name] of this.names.entries()) {
      const result = takeName(name);
      if (result.kind !== 'taken') {
        this.#remove(this.names.slice(0, index));
        return result;
      }
    }
    if (this.isHeld()) return { kind: 'taken' };
    this.giveBack();
    return { kind: 'failed', detail: 'the files of the lock were replaced while it was taken' };
  }

  /**
   * Removes the names that are ours, and only those.
   * @returns what could not be removed, one sentence each; empty when all is well
   */
  giveBack(): string[] {
    return this.#remove(this.names);
  }

  #remove(names: readonly Name[]): string[] {
    const problems: string[] = [];
    for (const { path, anchor } of [...names].reverse()) {
      if (anchor.look(path) !== 'ours') continue;
      try {
        anchor.unlink(path);
      } catch (error) {
        // Most likely it is not ours any more; if it is, the failure is reported.
        if (anchor.look(path) === 'ours') problems.push(explain(error, path));
      }
    }
    return problems;
  }

  /** Whether every name is there and ours, as everybody else sees it. For a name that we cannot see, the anchor's count of names tells. */
  isHeld(): boolean {
    return this.names.every(({ path, anchor }) => {
      const standing = anchor.look(path);
      return standing === 'ours' || (standing === 'unknown' && anchor.countNames() >= this.#namesWhenHeld(anchor));
    });
  }

  #namesWhenHeld(anchor: Anchor): number {
    return 1 + this.names.filter((name) => name.anchor === anchor).length;
  }

  inspect(): InspectedPath[] {
    return this.names.map(({ path, anchor }) => inspectPath({ path, standing: anchor.look(path) }));
  }

  /** Whether we are still in the directories that everybody else sees under their paths. */
  isInPlace(): boolean {
    return this.anchors.every((anchor) => anchor.isInPlace());
  }

  /** Takes the flock of each anchor that lacks it. Returns the first problem; null if all are held. */
  holdFlock(): string | null {
    if (this.#instanceProblem !== null) {
      const result = this.user.actAsStarted(() => flock([this.instanceFd]));
      if (result.kind === 'conflict') this.#instanceProblem = 'another sidecar serves this directory';
      else this.#instanceProblem = result.kind === 'failed' ? result.detail : null;
      if (this.#instanceProblem !== null) return this.#instanceProblem;
    }
    for (const anchor of this.anchors) {
      const isFree = !this.#isUsed(anchor) && anchor.isInPlace();
      const problem = isFree ? anchor.renew() : anchor.flock.hold();
      if (problem !== null) return problem;
    }
    return null;
  }

  /** The same, without trying. */
  flockProblem(): string | null {
    return this.#instanceProblem ?? this.anchors.find(({ flock }) => flock.problem !== null)?.flock.problem ?? null;
  }

  /** Whether the flock may end without our being told. */
  isFlockInherited(): boolean {
    return this.anchors.some(({ flock }) => flock.isInherited);
  }

  /** Whether all that a next hold needs is there, and nobody waits for the flock of a file that is not the lock any more. */
  isFresh(): boolean {
    return this.anchors.every(({ isFresh }) => isFresh);
  }

  /**
   * While the lock is free: puts fresh files in the place of those that were the lock, and so lets others have the flock of
   * these. The flock of a former process ends with it.
   * @returns what went wrong, null if nothing did
   */
  renew(): string | null {
    if (!this.isInPlace() || this.#instanceProblem !== null) return this.#instanceProblem;
    const problems = this.anchors.filter((anchor) => !this.#isUsed(anchor)).map((anchor) => anchor.renew());
    return problems.find((problem) => problem !== null) ?? null;
  }

  /** Whether a name of the lock is one of the anchor's, or may be. */
  #isUsed(anchor: Anchor): boolean {
    return this.names.some((name) => {
      if (name.anchor !== anchor) return false;
      const standing = anchor.look(name.path);
      return standing === 'ours' || (standing === 'unknown' && anchor.countNames() > 1);
    });
  }

  /** Whether a file system has no room left. Throws if that cannot be told. */
  isFull(): boolean {
    return this.main.isFull();
  }

  /** Replaces what `cat updates.lock` shows. */
  describe(text: string): void {
    for (const anchor of this.anchors) anchor.write(text);
  }

  /** Closes the files and, without `keepFlock`, gives up the flock; the names on disk stay. */
  close(keepFlock: boolean): void {
    for (const anchor of this.anchors) anchor.close(keepFlock);
    closeSync(this.instanceFd);
  }
}

function takeName({ path, anchor }: Name): TakeResult {
  // The other file may be gone by the time that we look at it: the Supervisor's attempts last for milliseconds.
  for (let attempt = 0; ; attempt += 1) {
    try {
      anchor.linkTo(path);
      return { kind: 'taken' };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') return { kind: 'failed', detail: explain(error, path) };
    }
    const standing = anchor.look(path);
    if (standing === 'ours') return { kind: 'taken' };
    if (standing !== 'absent' || attempt === 2) return { kind: 'blocked', by: inspectPath({ path, standing }) };
  }
}
