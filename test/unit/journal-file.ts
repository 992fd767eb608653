import { constants, lstatSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../support/sidecar';
import type { EndedLease, Lease } from '../../sidecar/leases/lease';
import { Journal, type JournalFiles, type Recovered } from '../../sidecar/journal/journal';
import { RECORD_BYTES } from '../../sidecar/journal/record';

export const BOOT = 'c0ffee00-0000-4000-8000-000000000000';

/** By the monotonic clock; leases are of some time before. */
export const NOW_MS = 1e12;

/** A journal on a real file, which can be damaged between two openings as if by somebody else. */
export class JournalFile {
  readonly path: string;

  constructor(readonly folder = makeFolder()) {
    this.path = join(mkdtempSync(join(folder, 'journal-')), 'journal');
  }

  /** Opens it, hands it to the action, and closes it without a last word, as a kill does. */
  use(action: (journal: Journal, recovered: Recovered) => void = () => undefined, boot = BOOT): Recovered {
    const { journal, recovered } = Journal.open(filesIn(dirname(this.path)), { boot, nowMs: NOW_MS });
    try {
      action(journal, recovered);
    } finally {
      journal.close();
    }
    return recovered;
  }

  /** What the next process would find. */
  recover(boot = BOOT): { live: readonly Lease[]; ended: readonly EndedLease[]; lostAtMs: number | null } {
    const { live, ended, header } = this.use(undefined, boot);
    return { live, ended, lostAtMs: header.lostAtMs };
  }

  get content(): Buffer {
    return readFileSync(this.path);
  }

  set content(content: Buffer) {
    writeFileSync(this.path, content);
  }

  get slots(): number {
    return statSync(this.path).size / RECORD_BYTES;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function filesIn(folder: string): JournalFiles {
  return {
    open: (name, flags = 0) => openSync(join(folder, name), constants.O_RDWR | constants.O_CREAT | flags, 0o600),
    identify: (name) => lstatSync(join(folder, name), { throwIfNoEntry: false }) ?? null,
    rename: (from, to) => { renameSync(join(folder, from), join(folder, to)); },
    remove: (name) => { rmSync(join(folder, name), { force: true }); },
  };
}

export const namesOf = (leases: readonly Lease[]): string[] => leases.map(({ name }) => name);
