/**
 * What devices know of their turns, from the answers alone. A turn counts from its 200 until the request to give it back is sent: it
 * is one for longer, never for shorter. All times are those of the calls, so they have to be made at once.
 */
export class TurnHistory {
  /** Of each device: whether its turn still counts, or only waits for the answer that it is given back. */
  readonly #current = new Map<string, { readonly group: string; readonly id: string; isHeld: boolean }>();
  readonly #held = new Map<string, number>();
  readonly #most = new Map<string, number>();
  readonly #turns = new Map<string, number>();
  #count = 0;

  /** A device was told that it has a turn: for the first time, or again. */
  granted(group: string, id: string): void {
    const key = `${group} ${id}`;
    if (this.#current.has(key)) return;
    this.#current.set(key, { group, id, isHeld: true });
    this.#turns.set(key, this.turnsOf(group, id) + 1);
    this.#count += 1;
    const held = (this.#held.get(group) ?? 0) + 1;
    this.#held.set(group, held);
    this.#most.set(group, Math.max(this.most(group), held));
  }

  /** To be called before the request is sent. */
  givingBack(group: string, id: string): void {
    const turn = this.#current.get(`${group} ${id}`);
    if (turn?.isHeld !== true) return;
    turn.isHeld = false;
    this.#held.set(group, (this.#held.get(group) ?? 0) - 1);
  }

  givenBack(group: string, id: string): void {
    this.#current.delete(`${group} ${id}`);
  }

  get count(): number {
    return this.#count;
  }

  /** How many turns a device has had. */
  turnsOf(group: string, id: string): number {
    return this.#turns.get(`${group} ${id}`) ?? 0;
  }

  /** The devices whose turn was acknowledged and not given back: each of them must have it. */
  open(group: string): string[] {
    return [...this.#current.values()].filter((turn) => turn.group === group && turn.isHeld).map(({ id }) => id);
  }

  /** The most turns of a group that were acknowledged at once. */
  most(group: string): number {
    return this.#most.get(group) ?? 0;
  }
}
