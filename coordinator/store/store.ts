import type { Device, Group } from '../groups';

/** A group as it was read. */
export interface StoredGroup extends Group {
  /** Made because any name is allowed, not by a name in the settings or by a person. */
  readonly isAdHoc: boolean;
}

export type GroupSettings = Pick<StoredGroup, 'slots' | 'paused' | 'isAdHoc'>;

/** `conflict`: something has changed since the group was read, so nothing was written; read it again. */
export type Written = 'done' | 'conflict';

export type GivenBack = 'turn' | 'place' | 'nothing';

/**
 * Where groups, turns and the queue are kept. What a method has answered survives the death of the process; each method throws
 * {@link StoreUnavailable} if it cannot know the outcome or do its work.
 */
export interface Store {
  /** A group, which may be a little out of date: what follows from it is either harmless then or refused as a conflict. Null if there is none. */
  read(name: string): Promise<StoredGroup | null>;
  /** All groups, by name. */
  readAll(): Promise<StoredGroup[]>;
  /** Gives a turn, and takes the device out of the queue, unless the number of turns or the group's settings may have changed since it was read. */
  grant(group: StoredGroup, device: Device, nowMs: number): Promise<Written>;
  /** Whether this device has a turn: not out of date, and on disk. */
  hasTurn(name: string, device: Device): Promise<boolean>;
  /** Takes back the turn of this device, or its place in the queue. */
  giveBack(name: string, device: Device): Promise<GivenBack>;
  /** Takes a turn away. False if there is none under this id. */
  release(name: string, id: string): Promise<boolean>;
  /** A device waits: gives it a place in the queue, or notes that it still asks; unless it has a turn by now. */
  wait(group: StoredGroup, id: string, silentAfterMs: number, nowMs: number): Promise<Written>;
  /** Makes or changes a group. @param before as it was read; null: it must not exist yet */
  setGroup(name: string, settings: GroupSettings, before: StoredGroup | null): Promise<Written>;
  /** What is wrong with the store; null if nothing is. Does not throw. */
  problem(): Promise<string | null>;
  close(): Promise<void>;
}

export const STORE_OPERATIONS = ['read', 'write'] as const;
export type StoreOperation = (typeof STORE_OPERATIONS)[number];

/** The store cannot do its work now, or the outcome of a change cannot be known. The message is for people. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';

  constructor(
    readonly operation: StoreOperation,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
