import { lstatSync, readFileSync, readlinkSync, rmSync, type Stats } from 'node:fs';

interface Known {
  readonly stats: Stats;
  readonly content: string;
}

/** The files, folders and links that others than the sidecar have made, as they were then. */
export class OthersFiles {
  readonly #byPath = new Map<string, Known>();
  readonly #forgiven = new Set<string>();

  /** To be called when somebody has made this, or has changed it. */
  add(path: string): void {
    this.#byPath.set(path, lookAt(path));
  }

  /** From now on the sidecar may remove it. */
  forgive(path: string): void {
    this.#forgiven.add(path);
  }

  /** To be called when somebody else than the sidecar has removed it. */
  forget(path: string): void {
    this.#byPath.delete(path);
  }

  /** To be called when a directory was emptied. */
  forgetIn(directory: string): void {
    for (const path of this.paths) if (path.startsWith(`${directory}/`)) this.#byPath.delete(path);
  }

  /** To be called when somebody has renamed the directory that they are in. */
  move(from: string, to: string): void {
    for (const [path, known] of [...this.#byPath]) {
      if (!path.startsWith(`${from}/`)) continue;
      this.#byPath.delete(path);
      this.#byPath.set(to + path.slice(from.length), known);
    }
  }

  /** Their owners remove them. */
  removeAll(): void {
    for (const path of this.paths) rmSync(path, { recursive: true, force: true });
    this.#byPath.clear();
  }

  get paths(): string[] {
    return [...this.#byPath.keys()];
  }

  has({ ino }: Stats): boolean {
    for (const { stats } of this.#byPath.values()) if (stats.ino === ino) return true;
    return false;
  }

  /** Those that are not any more as their owners have left them. */
  harmed(): string[] {
    return [...this.#byPath].filter(([path, known]) => !this.#forgiven.has(path) && !isAsIt(known, path)).map(([path]) => path);
  }
}

function isAsIt({ stats, content }: Known, path: string): boolean {
  try {
    const now = lookAt(path);
    const facts = ['ino', 'uid', 'gid', 'mode', 'size'] as const;
    return facts.every((fact) => now.stats[fact] === stats[fact]) && now.content === content;
  } catch {
    return false;
  }
}

function lookAt(path: string): Known {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return { stats, content: readlinkSync(path) };
  return { stats, content: stats.isFile() ? readFileSync(path, 'latin1') : '' };
}
