import type { KeeperEvent } from '../events/event';
import { isSameFile, type FileIdentity } from '../lock/classify';
import type { InspectedPath, OthersFile } from '../lock/inspected-path';

const MINUTE_MS = 60_000;

/** Helios has the flock of its file before the file gets its name, so the first test can be soon. Milliseconds. */
const FIRST_TEST_OF_HELIOS_MS = 1000;

/** Tests of a file that is not Helios's become rarer until they are this far apart. Milliseconds. */
const AT_LEAST_EVERY_MS = 600_000;

/** Whose files are tested. The Supervisor does not use flock. */
export type TestedStanding = 'helios' | 'foreign';

/** In how many milliseconds a file is tested next, after so many tests. */
export type TestPace = (standing: TestedStanding, tests: number) => number;

/** Nobody tells us when Helios takes over a stale file, and an update is being applied from then on, so we look each minute. */
export const testPace: TestPace = (standing, tests) => {
  if (standing === 'helios') return tests === 0 ? FIRST_TEST_OF_HELIOS_MS : MINUTE_MS;
  return Math.min(MINUTE_MS * 2 ** tests, AT_LEAST_EVERY_MS);
};

export interface FoundPath extends InspectedPath {
  /**
   * At the last test no process held the flock of the file. A file of Helios is stale then. Another program may use its file all the
   * same, since the existence of a file may be the lock.
   */
  readonly isLeftBehind: boolean;
}

export interface LeftBehindOptions {
  /** Whether a process holds the flock of that file; null if that cannot be found out. */
  readonly isFlocked: (path: string, file: FileIdentity) => Promise<boolean | null>;
  /** When the files are tested; {@link testPace} if not given. */
  readonly testPace?: TestPace;
  readonly emit: (event: KeeperEvent) => void;
}

/** A file that stands at a name of the lock. */
interface TestedFile {
  readonly path: string;
  readonly file: OthersFile;
  readonly standing: TestedStanding;
  tests: number;
  isFree: boolean;
  isTold: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Finds out whether a process holds the flock of each file that stands at a name of the lock and is not ours; if none does, it may have been left behind. */
export class LeftBehind {
  readonly #tested = new Map<string, TestedFile>();

  /** @param onChange a test had another result than the one before */
  constructor(
    private readonly options: LeftBehindOptions,
    private readonly onChange: () => void,
  ) {}

  mark(found: InspectedPath): FoundPath {
    const tested = this.#tested.get(found.path);
    return { ...found, isLeftBehind: tested !== undefined && isStill(tested, found) && tested.isFree };
  }

  /** To be called when other files may stand at the names. */
  look(paths: readonly InspectedPath[]): void {
    for (const found of paths) {
      const { path, file, standing } = found;
      const tested = this.#tested.get(path);
      if (tested !== undefined && isStill(tested, found)) continue;
      clearTimeout(tested?.timer);
      this.#tested.delete(path);
      if (file === null || (standing !== 'helios' && standing !== 'foreign')) continue;
      const next: TestedFile = { path, file, standing, tests: 0, isFree: false, isTold: false, timer: undefined };
      this.#tested.set(path, next);
      this.#testLater(next);
    }
  }

  close(): void {
    for (const { timer } of this.#tested.values()) clearTimeout(timer);
    this.#tested.clear();
  }

  #testLater(tested: TestedFile): void {
    const afterMs = (this.options.testPace ?? testPace)(tested.standing, tested.tests);
    tested.timer = setTimeout(() => void this.#test(tested), afterMs).unref();
  }

  async #test(tested: TestedFile): Promise<void> {
    const { path, file } = tested;
    const isHeld = await this.options.isFlocked(path, file);
    // Another file has come to the path meanwhile, or we were closed.
    if (this.#tested.get(path) !== tested) return;
    tested.tests += 1;
    this.#testLater(tested);
    if (isHeld === null || isHeld === !tested.isFree) return;
    tested.isFree = !isHeld;
    this.#tell(tested);
    this.onChange();
  }

  /** A program may take the flock of its file and let go of it many times: that is told once. Each time that Helios leaves a file is news. */
  #tell(tested: TestedFile): void {
    const isHelios = tested.standing === 'helios';
    if (!tested.isFree || (tested.isTold && !isHelios)) return;
    tested.isTold = true;
    this.options.emit({ type: 'file-left-behind', path: tested.path, isHelios, uid: tested.file.uid });
  }
}

function isStill(tested: TestedFile, { file, standing }: InspectedPath): boolean {
  return file !== null && standing === tested.standing && isSameFile(file, tested.file);
}
