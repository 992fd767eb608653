import type { KeyChange } from '../support/etcd-watch';
import type { TurnHistory } from './turn-history';

interface Group {
  readonly slots: number;
  readonly paused: boolean;
  /** The revision at which slots or pause became another. */
  readonly changedAt: number;
  readonly holders: Set<string>;
}

/** Every turn as it was in etcd, one revision after the other, and what was wrong when it was given. */
export class StoreHistory {
  readonly wrong: string[] = [];
  readonly #groups = new Map<string, Group>();
  readonly #turns = new Map<string, number>();

  constructor(private readonly prefix: string) {}

  /** The next change, in the order of etcd. */
  add({ revision, key, value }: KeyChange): void {
    const [kind, name = '', ...rest] = key.slice(this.prefix.length).split('/');
    const id = rest.join('/');
    if (kind === 'groups' && value !== null) this.#setGroup(name, JSON.parse(value) as Pick<Group, 'slots' | 'paused'>, revision);
    else if (kind === 'holders' && value !== null) this.#give(name, id, revision);
    else if (kind === 'holders') this.#groups.get(name)?.holders.delete(id);
  }

  /** How many turns a device has had. */
  turnsOf(group: string, id: string): number {
    return this.#turns.get(`${group} ${id}`) ?? 0;
  }

  holders(group: string): string[] {
    return [...(this.#groups.get(group)?.holders ?? [])];
  }

  #setGroup(name: string, { slots, paused }: Pick<Group, 'slots' | 'paused'>, revision: number): void {
    const before = this.#groups.get(name);
    const isSame = before?.slots === slots && before.paused === paused;
    this.#groups.set(name, { slots, paused, changedAt: isSame ? before.changedAt : revision, holders: before?.holders ?? new Set() });
  }

  #give(name: string, id: string, revision: number): void {
    const what = `revision ${String(revision)}, ${id} in ${name}`;
    const group = this.#groups.get(name);
    if (group === undefined) {
      this.wrong.push(`${what}: there is no such group`);
      return;
    }
    const { slots, paused, changedAt, holders } = group;
    if (holders.has(id)) this.wrong.push(`${what}: it has a turn already`);
    holders.add(id);
    this.#turns.set(`${name} ${id}`, this.turnsOf(name, id) + 1);
    if (holders.size > slots) this.wrong.push(`${what}: turn ${String(holders.size)} of ${String(slots)}`);
    if (paused) this.wrong.push(`${what}: the group is paused`);
    if (changedAt === revision) this.wrong.push(`${what}: the turn has changed slots or pause of the group`);
  }
}

/** A device as it has seen its turns. */
export interface Witness {
  readonly group: string;
  readonly id: string;
  /** How often it has asked without an answer that tells what became of it: so many turns may have been given that it does not know of. */
  readonly unknown: number;
}

/**
 * Compares what devices were told with what was in etcd, when all of them have given back their turns. A turn that was acknowledged and
 * never given, or given back and still there for the next time, is one too few in etcd; one that was lost and given again one too many.
 */
export function compareHistories(witnesses: readonly Witness[], told: TurnHistory, inStore: StoreHistory): string[] {
  return witnesses.flatMap(({ group, id, unknown }) => {
    const [acknowledged, given] = [told.turnsOf(group, id), inStore.turnsOf(group, id)];
    const left = inStore.holders(group).includes(id) ? ['it has a turn although it has given back all'] : [];
    const count = acknowledged <= given && given <= acknowledged + unknown ? [] : [`${String(acknowledged)} turns acknowledged, ${String(given)} given, ${String(unknown)} may have been`];
    return [...left, ...count].map((wrong) => `${id} in ${group}: ${wrong}`);
  });
}
