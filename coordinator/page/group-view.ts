import type * as z from 'zod/mini';
import type { group } from '../http/schemas';
import { button, deviceText, element, time } from './elements';
import { ask } from './question';

export type GroupView = z.output<typeof group>;

/** More rows than anybody reads. */
const SHOWN_WAITERS = 50;

/** One group: how many may, who does, who waits. */
export function groupCard({ name, slots, paused, holders, waiting }: GroupView, refresh: () => void): HTMLElement {
  const path = `v1/groups/${encodeURIComponent(name)}`;
  const toggle = button(paused ? `Resume ${name}…` : `Pause ${name}…`, () => {
    ask({
      title: paused ? `Resume ${name}?` : `Pause ${name}?`,
      text: paused ? 'Devices get turns again.' : 'No device gets a turn until somebody resumes. Those that have one keep it.',
      yes: paused ? 'Resume' : 'Pause',
      method: 'PUT',
      path,
      body: { paused: !paused },
      onDone: refresh,
    });
  });
  const state = paused ? element('span', 'badge warn', 'Paused') : element('span', 'badge calm', `${String(holders.length)} of ${String(slots)} at once`);
  const more = waiting.length - SHOWN_WAITERS;
  return element(
    'section',
    'card',
    element('div', 'group-head', element('h2', '', name), state, toggle),
    element('h3', '', `Turns: ${String(holders.length)} of ${String(slots)}`),
    holders.length === 0 ? element('p', 'nothing', 'No device has a turn.') : element('ul', '', ...holders.map((holder) => holderRow(holder, name, path, refresh))),
    element('h3', '', `Waiting: ${String(waiting.length)}`),
    waiting.length === 0 ? element('p', 'nothing', 'No device waits.') : element('ol', '', ...waiting.slice(0, SHOWN_WAITERS).map(waiterRow)),
    more > 0 ? element('p', 'nothing', `and ${String(more)} more`) : '',
  );
}

function holderRow({ id, since, stale }: GroupView['holders'][number], name: string, path: string, refresh: () => void): HTMLElement {
  const release = button(`Release ${id}…`, () => {
    ask({
      title: `Release ${id}?`,
      text: `Another device of ${name} gets its turn. Do this for a device that will not come back: if it is being updated now, more devices than the group has slots are down at once.`,
      yes: 'Release',
      method: 'DELETE',
      path: `${path}/holders/${encodeURIComponent(id)}`,
      onDone: refresh,
    });
  });
  return element('li', 'device', deviceText(id), element('span', 'reason grow', 'since ', time(since)), stale ? element('span', 'badge bad', 'Stale') : '', release);
}

function waiterRow({ id, since, lastAsked }: GroupView['waiting'][number]): HTMLElement {
  const asked = lastAsked === null ? [] : [', last asked ', time(lastAsked)];
  return element('li', 'device', deviceText(id), element('span', 'reason', 'since ', time(since), ...asked));
}
