/** What is known of one turn from the answers alone. Times are of one clock, `performance.now()`. */
interface Turn {
  readonly group: string;
  readonly id: string;
  /** When the 200 arrived: from here on the device has it. */
  readonly fromMs: number;
  /** When the request to give it back was sent: from here on it may be gone. */
  untilMs: number;
  /** When a 200 for that arrived. */
  isGivenBack: boolean;
}

/**
 * Every turn that was acknowledged to a device, from which it can be told afterwards whether there were ever more at once than slots. A turn
 * counts from its 200 until it was asked to be taken back: it is one for longer, never for shorter.
 */
export class TurnHistory {
  readonly #turns: Turn[] = [];
  readonly #current = new Map<string, Turn>();

  /** A device was told that it has a turn: for the first time, or again. */
  granted(group: string, id: string): void {
    const key = `${group} ${id}`;
    if (this.#current.has(key)) return;
    const turn = { group, id, fromMs: performance.now(), untilMs: Infinity, isGivenBack: false };
    this.#current.set(key, turn);
    this.#turns.push(turn);
  }

  /** To be called before the request is sent. */
  givingBack(group: string, id: string): void {
    const turn = this.#current.get(`${group} ${id}`);
    if (turn !== undefined) turn.untilMs = Math.min(turn.untilMs, performance.now());
  }

  givenBack(group: string, id: string): void {
    const key = `${group} ${id}`;
    const turn = this.#current.get(key);
    if (turn !== undefined) turn.isGivenBack = true;
    this.#current.delete(key);
  }

  get count(): number {
    return this.#turns.length;
  }

  /** The devices whose turn was acknowledged and not given back: each of them must have it. */
  open(group: string): string[] {
    return [...this.#current.values()].filter((turn) => turn.group === group && turn.untilMs === Infinity).map(({ id }) => id);
  }

  /** The most turns of a group that were acknowledged at once. */
  most(group: string): number {
    const changes = this.#turns
      .filter((turn) => turn.group === group)
      .flatMap(({ fromMs, untilMs }) => [{ atMs: fromMs, by: 1 }, { atMs: untilMs, by: -1 }])
      // One that ends at the same instant has ended before.
      .sort((a, b) => a.atMs - b.atMs || a.by - b.by);
    let now = 0;
    let most = 0;
    for (const { by } of changes) {
      now += by;
      most = Math.max(most, now);
    }
    return most;
  }
}
