import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 'turns.journal';

/** The journal is written anew, with only what still counts, once it has at least so many bytes, and twice as many as after the last time. */
const REWRITE_FROM_BYTES = 1024 * 1024;

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A file to which lines are added. Lines that are added while others are being written and synced go together in the next write, so that
 * many at once cost one sync of the disk. After a failure nothing more is accepted: what is on disk is not known then, and has to be read anew.
 */
export class JournalFile {
  #file: FileHandle | null = null;
  #bytes = 0;
  #rewriteAtBytes = REWRITE_FROM_BYTES;
  #waiting: Waiting[] = [];
  #isWriting = false;
  #isRewriteDue = true;
  #failure: unknown = null;

  /** @param current all lines that still count, as the next write has to leave them */
  constructor(
    private readonly folder: string,
    private readonly current: () => string[],
  ) {}

  /** The lines in the file, the last one perhaps cut off by a crash. */
  static async read(folder: string): Promise<string[]> {
    try {
      return (await readFile(join(folder, NAME), 'utf8')).split('\n');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Adds a line. It is on disk when the promise is fulfilled. */
  append(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
      void this.#write();
    });
  }

  /** Waits until every line that was added before is on disk. */
  async synced(): Promise<void> {
    if (this.#failure === null && this.#waiting.length === 0 && !this.#isWriting) return;
    await this.append('');
  }

  /** Replaces the file by one with only the lines that still count. */
  rewrite(): Promise<void> {
    this.#isRewriteDue = true;
    return this.append('');
  }

  async close(): Promise<void> {
    this.#failure ??= new Error('the journal is closed');
    await this.#file?.close();
    this.#file = null;
  }

  async #replace(): Promise<void> {
    const lines = this.current();
    const path = join(this.folder, NAME);
    const temporary = `${path}.new`;
    await rm(temporary, { force: true });
    const file = await open(temporary, 'ax', 0o600);
    try {
      const text = lines.map((line) => `${line}\n`).join('');
      await file.writeFile(text);
      await file.sync();
      await rename(temporary, path);
      await syncFolder(this.folder);
      this.#bytes = Buffer.byteLength(text);
      this.#rewriteAtBytes = Math.max(REWRITE_FROM_BYTES, 2 * this.#bytes);
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.#file?.close();
    this.#file = file;
    this.#isRewriteDue = false;
  }

  async #write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#writeBatch(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        this.#failure ??= error;
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isWriting = false;
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure as Error;
    const text = batch.flatMap(({ line }) => (line === '' ? [] : `${line}\n`)).join('');
    this.#bytes += Buffer.byteLength(text);
    if (this.#file === null || this.#isRewriteDue || this.#bytes >= this.#rewriteAtBytes) {
      // What the lines say is in memory already, so it is among what still counts.
      await this.#replace();
    } else if (text !== '') {
      await this.#file.appendFile(text);
      await this.#file.datasync();
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
