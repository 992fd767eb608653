import * as z from 'zod/mini';
import type { Holder, Waiter } from '../../groups';
import type { StoredGroup } from '../store';

/** A group in memory. */
export interface FileGroup extends StoredGroup {
  slots: number;
  paused: boolean;
  isAdHoc: boolean;
  /** Grows with every turn and every change of the settings. */
  revision: number;
  readonly holders: Map<string, Holder>;
  readonly waiting: Map<string, FileWaiter>;
}

export interface FileWaiter extends Waiter {
  lastAskedMs: number;
  silentFromMs: number;
}

export type Groups = Map<string, FileGroup>;

const name = z.string();
const time = z.number();

/** One line of the journal. A line with the same `type` that means something else has to have another name. */
const change = z.discriminatedUnion('type', [
  z.object({ type: z.literal('group'), group: name, slots: z.int(), paused: z.boolean(), isAdHoc: z.boolean() }),
  z.object({ type: z.literal('turn'), group: name, id: name, instance: z.nullable(name), sinceMs: time }),
  z.object({ type: z.literal('place'), group: name, id: name, sinceMs: time, lastAskedMs: time, silentAfterMs: time }),
  z.object({ type: z.literal('gone'), group: name, id: name }),
]);

export type Change = z.output<typeof change>;

/** Null if the line cannot be understood. */
export function parseChange(line: string): Change | null {
  try {
    const parsed = change.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** @returns false if there is no such group, so that the change means nothing */
export function apply(groups: Groups, made: Change): boolean {
  const group = groups.get(made.group);
  if (made.type === 'group') {
    const { slots, paused, isAdHoc } = made;
    if (group === undefined) groups.set(made.group, { name: made.group, slots, paused, isAdHoc, revision: 0, holders: new Map(), waiting: new Map() });
    else Object.assign(group, { slots, paused, isAdHoc, revision: group.revision + 1 });
    return true;
  }
  if (group === undefined) return false;
  const { id } = made;
  switch (made.type) {
    case 'turn':
      group.waiting.delete(id);
      group.holders.set(id, { id, instance: made.instance, sinceMs: made.sinceMs });
      group.revision += 1;
      return true;
    case 'place': {
      const { sinceMs, lastAskedMs, silentAfterMs } = made;
      group.waiting.set(id, { id, sinceMs, lastAskedMs, silentFromMs: lastAskedMs + silentAfterMs });
      return true;
    }
    case 'gone':
      group.holders.delete(id);
      group.waiting.delete(id);
      return true;
  }
}

/** The shortest list of changes that leads to this state. */
export function changesTo(groups: Groups): Change[] {
  return [...groups.values()].flatMap(({ name: group, slots, paused, isAdHoc, holders, waiting }): Change[] => [
    { type: 'group', group, slots, paused, isAdHoc },
    ...[...holders.values()].map(({ id, instance, sinceMs }): Change => ({ type: 'turn', group, id, instance, sinceMs })),
    ...[...waiting.values()].map(({ id, sinceMs, lastAskedMs, silentFromMs }): Change => (
      { type: 'place', group, id, sinceMs, lastAskedMs, silentAfterMs: silentFromMs - lastAskedMs }
    )),
  ]);
}
