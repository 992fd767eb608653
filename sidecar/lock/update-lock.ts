import { closeSync, constants, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Anchor } from './anchor';
import { classify, type Standing } from './classify';
import { endGuard, findGuards, flock, isGuardOf, spawnGuard } from './flock';
import type { Owner } from './owner';

/** The names that the readers of the lock look for, in the order in which the Supervisor takes them. */
const LOCK_FILES = ['updates.lock', 'resin-updates.lock'] as const;

/** How often the flock of the anchors is tried when the sidecar starts. An attempt takes some 5 ms. */
const LOCK_ATTEMPTS = 20;

export interface LockPaths {
  /** Where `updates.lock` and `resin-updates.lock` are taken. */
  readonly directory: string;
  /** One lock file more, on another file system; null for none. */
  readonly legacyPath: string | null;
}

export interface PathStanding {
  readonly path: string;
  readonly standing: Standing;
}

export type TakeResult =
  | { readonly kind: 'taken' }
  | ({ readonly kind: 'blocked' } & PathStanding)
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
  /** Processes of a sidecar before us that keep the flock of the anchors; empty when it is our own. */
  #inheritedGuards: readonly number[] = [];
  #guardPid: number | undefined;
  readonly #folder: string;
  /** How many names each anchor has while the lock is held, its own included. */
  readonly #namesWhenHeld: readonly number[];

  private constructor(
    private readonly instanceFd: number,
    private readonly anchors: readonly Anchor[],
    private readonly names: readonly Name[],
    private readonly owner: Owner,
  ) {
    this.#folder = dirname(anchors[0]?.path ?? '');
    this.#namesWhenHeld = anchors.map((anchor) => 1 + names.filter((name) => name.anchor === anchor).length);
  }

  /** Makes the directory, the anchors and their flock ready. Takes no lock. */
  static open(paths: LockPaths, owner: Owner): OpenResult {
    const anchors: Anchor[] = [];
    let instanceFd: number | undefined;
    try {
      const lockFiles = LOCK_FILES.map((file) => join(paths.directory, file));
      const main = new Anchor(paths.directory, lockFiles, owner, true);
      anchors.push(main);
      const names = lockFiles.map((path) => ({ path, anchor: main }));
      if (paths.legacyPath !== null) {
        const legacy = new Anchor(dirname(paths.legacyPath), [paths.legacyPath], owner, false);
        anchors.push(legacy);
        names.push({ path: paths.legacyPath, anchor: legacy });
      }
      instanceFd = main.open('instance', constants.O_RDWR);
      const lock = new UpdateLock(instanceFd, anchors, names, owner);
      const problem = lock.#lockAnchors();
      if (problem === null) return { kind: 'open', lock };
      lock.close();
      return problem;
    } catch (error) {
      for (const anchor of anchors) anchor.close();
      if (instanceFd !== undefined) closeSync(instanceFd);
      return { kind: 'failed', detail: explain(error, paths.directory) };
    }
  }

  /** Opens a file of ours that must live exactly as long as the lock files can. */
  openFile(name: string): { path: string; fd: number } {
    const [main] = this.anchors;
    if (main === undefined) throw new Error('the lock has no anchor');
    return { path: join(this.#folder, name), fd: main.open(name, constants.O_RDWR) };
  }

  #lockAnchors(): Exclude<OpenResult, { kind: 'open' }> | null {
    // The kernel closes the files of a guard that was ended a moment ago soon, but not at once; and the host tries its
    // flock for moments only.
    for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt += 1) {
      const result = flock([this.instanceFd, ...this.anchors.map(({ fd }) => fd)]);
      if (result.kind === 'locked') {
        this.#spawnGuard();
        return null;
      }
      if (result.kind === 'failed') return { kind: 'failed', detail: result.detail };
      if (result.index === 0) return { kind: 'in-use' };
      // We are the only sidecar here, so this is the guard of one that was killed: it holds the flock for us without a
      // gap, until the lock is free and we can do it ourselves.
      const guards = this.anchors.map((anchor) => this.owner.actAsStarted(() => findGuards(anchor)));
      if (guards.every((pids) => pids.length > 0)) {
        this.#inheritedGuards = [...new Set(guards.flat())];
        return null;
      }
      for (const pid of guards.flat()) endGuard(pid);
    }
    return { kind: 'failed', detail: 'another process holds flock(2) on the lock file' };
  }

  #spawnGuard(): void {
    this.#guardPid = spawnGuard(this.anchors.map(({ fd }) => fd)).pid;
  }

  /** Takes every name or none; never replaces what stands at one. */
  take(): TakeResult {
    for (const [index, name] of this.names.entries()) {
      const result = this.#takeOne(name);
      if (result.kind !== 'taken') {
        this.#remove(this.names.slice(0, index));
        return result;
      }
    }
    if (this.isHeld()) return { kind: 'taken' };
    this.giveBack();
    return { kind: 'failed', detail: 'the files of the lock were replaced while it was taken' };
  }

  #takeOne(name: Name): TakeResult {
    // What blocks may be gone by the time that we look at it: the Supervisor's attempts last for milliseconds.
    for (let attempt = 0; ; attempt += 1) {
      try {
        name.anchor.linkTo(name.path);
        return { kind: 'taken' };
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') return { kind: 'failed', detail: explain(error, name.path) };
      }
      try {
        const standing = classify(name.path, name.anchor);
        if (standing === 'ours') return { kind: 'taken' };
        if (standing !== 'absent' || attempt === 2) return { kind: 'blocked', path: name.path, standing };
      } catch (error) {
        return { kind: 'failed', detail: explain(error, name.path) };
      }
    }
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
      if (standingOf(path, anchor) !== 'ours') continue;
      try {
        anchor.unlink(path);
      } catch (error) {
        // Most likely it is not ours any more; if it is, that is worth a word.
        if (standingOf(path, anchor) === 'ours') problems.push(explain(error, path));
      }
    }
    return problems;
  }

  /** Whether every name is there and ours. The anchor's own count tells in one system call, unless it has been linked elsewhere. */
  isHeld(): boolean {
    return this.anchors.every((anchor, index) => anchor.countNames() === this.#namesWhenHeld[index]) || this.isSeenHeld();
  }

  /** The same, by looking at every path: what everybody else sees. */
  isSeenHeld(): boolean {
    return this.inspect().every(({ standing }) => standing === 'ours');
  }

  /** Looks at every name. A name that cannot be looked at is `foreign`. */
  inspect(): PathStanding[] {
    return this.names.map(({ path, anchor }) => ({ path, standing: standingOf(path, anchor) }));
  }

  /** Whether we are still in the directory that everybody else sees under its path. */
  isInPlace(): boolean {
    return this.anchors.every((anchor) => anchor.isInPlace());
  }

  /** Whether the flock is there: our own, or that of a guard which is still alive. */
  isFlocked(): boolean {
    if (this.#inheritedGuards.length === 0) return true;
    // A guard is root's process, if we were started as root: only root can look into it.
    return this.owner.actAsStarted(() =>
      this.#inheritedGuards.every((pid) => this.anchors.some((anchor) => isGuardOf(pid, anchor))),
    );
  }

  /**
   * Makes an inherited flock our own. While the lock is held this is only done if the guard has died: the flock is free
   * for a moment meanwhile.
   * @returns what is wrong, or null
   */
  ownFlock(): string | null {
    if (this.#inheritedGuards.length === 0) return null;
    for (const pid of this.#inheritedGuards) endGuard(pid);
    // The kernel closes a killed process's files soon, but not at once.
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const result = flock(this.anchors.map(({ fd }) => fd));
      if (result.kind === 'locked') {
        this.#inheritedGuards = [];
        this.#spawnGuard();
        return null;
      }
      if (result.kind === 'failed') return result.detail;
    }
    return 'another process holds flock(2) on the lock file';
  }

  /** What keeps the lock from being taken now, apart from what stands at its names; null if nothing does. */
  problem(): string | null {
    if (!this.isInPlace()) return 'the lock directory was replaced';
    if (!this.isFlocked()) return 'the guard of the flock has died';
    return null;
  }

  /** Whether the file system has no room left for another lease's record. */
  isFull(): boolean {
    const { blocks, bavail, files, ffree } = statfsSync(this.#folder);
    return (blocks > 0 && bavail === 0) || (files > 0 && ffree === 0);
  }

  /** Replaces what `cat updates.lock` shows. */
  describe(text: string): void {
    for (const anchor of this.anchors) anchor.write(text);
  }

  /** Lets go of files and flock; whatever names there are stay. With `keepGuard`, the flock stays with them. */
  close({ keepGuard = false } = {}): void {
    if (!keepGuard) {
      for (const pid of this.#inheritedGuards) endGuard(pid);
      if (this.#guardPid !== undefined) endGuard(this.#guardPid);
    }
    for (const anchor of this.anchors) anchor.close();
    closeSync(this.instanceFd);
  }
}

function standingOf(path: string, anchor: Anchor): Standing {
  try {
    return classify(path, anchor);
  } catch {
    return 'foreign';
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** The system's error in a sentence that says what to do about it, where that is not plain. */
function explain(error: unknown, path: string): string {
  const hint = HINTS[codeOf(error) ?? ''];
  const message = error instanceof Error ? error.message : String(error);
  return hint === undefined ? message : `${path}: ${hint} (${message})`;
}

const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'not permitted; this file system may have no hard links',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the file system is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'there is a file where a directory is needed',
  EXDEV: 'this is not on one file system',
  EMLINK: 'this file system allows too few hard links',
  EOPNOTSUPP: 'this file system has no hard links',
  ENOTSUP: 'this file system has no hard links',
  ENOSYS: 'this file system has no hard links',
};
