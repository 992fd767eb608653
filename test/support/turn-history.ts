import type { TurnEvent } from './turn-gate';

/** Who has the lock file of a device: the sidecar, the Supervisor, or nobody. */
export type LockSeen = 'sidecar' | 'supervisor' | 'free';

export type TurnRecord =
  | { readonly id: string; readonly what: Exclude<TurnEvent, 'returns'> }
  /** With the lock as it was at that moment. */
  | { readonly id: string; readonly what: 'returns' | 'lock' | 'flock'; readonly lock: LockSeen };

/** What devices and their server have done, in order, and what of it must not happen in a group with one slot. */
export class TurnHistory {
  readonly all: TurnRecord[] = [];

  add(record: TurnRecord): void {
    this.all.push(record);
  }

  /** The device that has heard of its turn, and has not begun to give it back; undefined for none. */
  get inTurn(): string | undefined {
    return [...this.#fold().heard][0];
  }

  /** Whether the server has refused this device its last request for a turn. */
  isRefused(id: string): boolean {
    return this.all.findLast((each) => each.id === id && (each.what === 'given' || each.what === 'refused'))?.what === 'refused';
  }

  violations(): string[] {
    return this.#fold().violations;
  }

  #fold(): { heard: ReadonlySet<string>; violations: string[] } {
    const given = new Set<string>();
    const heard = new Set<string>();
    const violations: string[] = [];
    for (const record of this.all) {
      const { id, what } = record;
      if (what === 'given') {
        given.add(id);
        if (given.size > 1) violations.push(`${[...given].join(' and ')} have a turn at once`);
      }
      if (what === 'heard') heard.add(id);
      if (what === 'returns') {
        given.delete(id);
        heard.delete(id);
        if (record.lock !== 'sidecar') violations.push(`${id} gives its turn back while its lock is ${record.lock}`);
      }
      if ((what === 'lock' || what === 'flock') && record.lock !== 'sidecar' && !heard.has(id)) violations.push(`without a turn the ${what} of ${id} is ${record.lock}`);
    }
    return { heard, violations };
  }
}
