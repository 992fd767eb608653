/** Somebody has said that updates are allowed now, whatever windows and the like say. */
export interface Allowance {
  readonly by: 'override' | 'tag';
  /** For people; may be empty. */
  readonly reason: string;
  /** Until when, by the wall clock, in milliseconds of the Unix epoch. */
  readonly untilWallMs: number;
}

/** The allowance of one source as things are now, null for none. */
export type AllowanceSource = () => Allowance | null;

/**
 * Whether updates are allowed now by an override or a tag. Holders that go by the clock let go while they are; a source tells by
 * the event `allowance-changed` when that begins and ends. A hold beats it without a rule: it is a lease, and holds the lock.
 */
export class Allowances {
  readonly #sources: AllowanceSource[] = [];

  add(source: AllowanceSource): void {
    this.#sources.push(source);
  }

  /** The one that lasts longest; null if there is none. */
  current(): Allowance | null {
    const all = this.#sources.map((source) => source()).filter((allowance) => allowance !== null);
    return all.toSorted((a, b) => b.untilWallMs - a.untilWallMs)[0] ?? null;
  }
}
