import { closeSync } from 'node:fs';
import { messageOf } from '../../../server/text';
import { isSameDevice, PLACE_KEPT_MS, type Device } from '../../groups';
import { StoreUnavailable, type GivenBack, type GroupSettings, type Store, type Written } from '../store';
import { apply, changesTo, parseChange, type Change, type FileGroup, type Groups } from './changes';
import { takeFolder } from './exclusive-folder';
import { JournalFile } from './journal-file';

/** How often the times of last asking are written, and places given up that nobody asks for any more. Milliseconds. */
const TIDY_EVERY_MS = 3_600_000;

/** After a start, how long those who wait have to ask again before they are passed over. Milliseconds. */
const ASK_AGAIN_WITHIN_MS = 30_000;

/** Another process uses the folder. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

/** The journal has a line that cannot be understood, so turns may be missing. */
export class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged';
}

/**
 * Groups, turns and the queue of one process: in memory, and every change in a journal that is synced before the answer. A poll of a
 * waiter changes nothing on disk.
 */
export class FileStore implements Store {
  #groups: Groups = new Map();
  #journal: JournalFile;
  #reopening: Promise<void> | null = null;
  readonly #tidyTimer: NodeJS.Timeout;

  private constructor(
    private readonly folder: string,
    private readonly lockFd: number,
    private readonly wallMs: () => number,
  ) {
    this.#journal = this.#newJournal();
    this.#tidyTimer = setInterval(() => { void this.#tidy(); }, TIDY_EVERY_MS).unref();
  }

  /**
   * @throws FolderInUse, JournalDamaged
   */
  static async open(folder: string, wallMs: () => number): Promise<FileStore> {
    const lockFd = takeFolder(folder);
    if (lockFd === null) throw new FolderInUse(`another coordinator uses ${folder}`);
    const store = new FileStore(folder, lockFd, wallMs);
    try {
      await store.#load();
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  async read(name: string): Promise<FileGroup | null> {
    await this.#reopenIfFailed('read');
    return this.#groups.get(name) ?? null;
  }

  async readAll(): Promise<FileGroup[]> {
    await this.#reopenIfFailed('read');
    return [...this.#groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Groups are the same objects as long as nothing fails, so nothing that was decided on one in the same turn of the event loop is out of date. */
  async grant(group: FileGroup, { id, instance }: Device, nowMs: number): Promise<Written> {
    if (this.#groups.get(group.name) !== group || group.holders.size >= group.slots || group.holders.has(id)) return 'conflict';
    await this.#make({ type: 'turn', group: group.name, id, instance, sinceMs: nowMs });
    return 'done';
  }

  async hasTurn(name: string, device: Device): Promise<boolean> {
    await this.#synced();
    const holder = this.#groups.get(name)?.holders.get(device.id);
    return holder !== undefined && isSameDevice(holder, device);
  }

  async giveBack(name: string, device: Device): Promise<GivenBack> {
    await this.#reopenIfFailed('write');
    const group = this.#groups.get(name);
    const holder = group?.holders.get(device.id);
    const result = holder === undefined ? (group?.waiting.has(device.id) === true ? 'place' : 'nothing') : isSameDevice(holder, device) ? 'turn' : 'nothing';
    if (result === 'nothing') await this.#synced();
    else await this.#make({ type: 'gone', group: name, id: device.id });
    return result;
  }

  async release(name: string, id: string): Promise<boolean> {
    await this.#reopenIfFailed('write');
    const has = this.#groups.get(name)?.holders.has(id) === true;
    if (has) await this.#make({ type: 'gone', group: name, id });
    return has;
  }

  async wait(group: FileGroup, id: string, silentAfterMs: number, nowMs: number): Promise<Written> {
    if (group.holders.has(id)) return 'conflict';
    const waiter = group.waiting.get(id);
    if (waiter === undefined) {
      await this.#make({ type: 'place', group: group.name, id, sinceMs: nowMs, lastAskedMs: nowMs, silentAfterMs });
      return 'done';
    }
    waiter.lastAskedMs = nowMs;
    waiter.silentFromMs = nowMs + silentAfterMs;
    return 'done';
  }

  async setGroup(name: string, { slots, paused, isAdHoc }: GroupSettings, before: FileGroup | null): Promise<Written> {
    await this.#reopenIfFailed('write');
    if ((this.#groups.get(name) ?? null) !== before) return 'conflict';
    await this.#make({ type: 'group', group: name, slots, paused, isAdHoc });
    return 'done';
  }

  async problem(): Promise<string | null> {
    try {
      await this.#reopenIfFailed('read');
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#tidyTimer);
    await this.#journal.close();
    closeSync(this.lockFd);
  }

  #newJournal(): JournalFile {
    return new JournalFile(this.folder, () => changesTo(this.#groups).map((change) => JSON.stringify(change)));
  }

  /** Makes a change at once, so that whatever is decided next is decided on it; it may only be answered once this is fulfilled. */
  async #make(change: Change): Promise<void> {
    apply(this.#groups, change);
    try {
      await this.#journal.append(JSON.stringify(change));
    } catch (error) {
      throw this.#unavailable('write', error);
    }
  }

  async #synced(): Promise<void> {
    try {
      await this.#journal.synced();
    } catch (error) {
      throw this.#unavailable('write', error);
    }
  }

  /** After a failure memory may say more than the disk does, so everything is read anew. */
  async #reopenIfFailed(operation: 'read' | 'write'): Promise<void> {
    if (!this.#journal.hasFailed) return;
    this.#reopening ??= this.#reopen().finally(() => { this.#reopening = null; });
    try {
      await this.#reopening;
    } catch (error) {
      throw this.#unavailable(operation, error);
    }
  }

  async #reopen(): Promise<void> {
    await this.#journal.close();
    await this.#load();
  }

  async #load(): Promise<void> {
    const lines = await JournalFile.read(this.folder);
    const groups: Groups = new Map();
    for (const [index, line] of lines.entries()) {
      const change = parseChange(line);
      if (change !== null && apply(groups, change)) continue;
      // A crash cuts off the last line, which nobody was told of. Anything else could be a turn that somebody has.
      const isCutOff = index === lines.length - 1;
      if (!isCutOff) throw new JournalDamaged(`line ${String(index + 1)} of the journal in ${this.folder} cannot be understood, so turns may be missing; put it right or restore the folder`);
    }
    const silentFromMs = this.wallMs() + ASK_AGAIN_WITHIN_MS;
    for (const { waiting } of groups.values()) for (const waiter of waiting.values()) waiter.silentFromMs = silentFromMs;
    this.#groups = groups;
    const journal = this.#newJournal();
    await journal.rewrite();
    this.#journal = journal;
  }

  async #tidy(): Promise<void> {
    const nowMs = this.wallMs();
    for (const { waiting } of this.#groups.values()) {
      for (const { id, lastAskedMs } of waiting.values()) if (lastAskedMs + PLACE_KEPT_MS < nowMs) waiting.delete(id);
    }
    // If it fails, the next request says so.
    await this.#journal.rewrite().catch(() => undefined);
  }

  #unavailable(operation: 'read' | 'write', error: unknown): StoreUnavailable {
    return new StoreUnavailable(operation, `the journal in ${this.folder} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
