import { appText, byId, element, icon, printable } from './elements';
import type { HistoryEntry } from './history';
import type { IconName } from './icons';
import { atTime } from './times';

const PICTURES: Readonly<Record<HistoryEntry['event'], IconName>> = {
  started: 'power',
  acquired: 'lock',
  recovered: 'lock',
  renewed: 'renew',
  released: 'check',
  expired: 'clock',
  disconnected: 'unplugged',
  lost: 'alert',
  drained: 'alert',
  stopped: 'power',
  'lock-lost': 'alert',
  updating: 'update',
  foreign: 'alert',
  'left-behind': 'alert',
  free: 'open',
  failed: 'cross',
  'update-waits': 'hourglass',
  'update-over': 'check',
  'download-began': 'download',
  'update-requested': 'update',
  'update-refused': 'cross',
  'update-forced': 'alert',
  'deadline-nears': 'hourglass',
  draining: 'alert',
  'drain-over': 'check',
  'supervisor-missed': 'unplugged',
  'supervisor-reached': 'plug',
  'window-opened': 'calendar',
  'window-closed': 'calendar',
  'override-given': 'hand',
  'override-ended': 'hand',
  'probe-missed': 'unplugged',
  'probe-reached': 'plug',
  'soak-began': 'hourglass',
  'soak-over': 'check',
  'soak-missed': 'unplugged',
  'soak-reached': 'plug',
  'control-tags-changed': 'hand',
  'control-tag-unreadable': 'alert',
  'control-tags-missed': 'unplugged',
  'control-tags-reached': 'plug',
  'fleet-changed': 'hourglass',
  'fleet-turn': 'alert',
  'fleet-missed': 'unplugged',
  'fleet-reached': 'plug',
};

/** Recent events, latest first. */
export class EventsView {
  readonly #list = byId('events', HTMLElement);
  readonly #none = byId('no-events', HTMLElement);
  readonly #items = new Map<string, HTMLLIElement>();

  /** Events never change, so only new ones are made: elements that are being read out or are selected stay. */
  render(events: readonly HistoryEntry[], nowMs: number): void {
    const current = new Map(events.map((event) => [JSON.stringify(event), event]));
    for (const [key, item] of this.#items) {
      if (current.has(key)) continue;
      item.remove();
      this.#items.delete(key);
    }
    let next = this.#list.firstElementChild;
    for (const [key, event] of current) {
      const made = this.#items.get(key);
      if (made !== undefined) {
        next = made.nextElementSibling;
        continue;
      }
      const item = itemOf(event, nowMs);
      this.#items.set(key, item);
      this.#list.insertBefore(item, next);
    }
    this.#none.hidden = events.length > 0;
  }
}

function itemOf({ at, event, name, text, detail }: HistoryEntry, nowMs: number): HTMLLIElement {
  const time = element('time', '', atTime(Date.parse(at), nowMs, true));
  time.dateTime = at;
  time.dataset['at'] = String(Date.parse(at));
  time.dataset['seconds'] = '';
  return element(
    'li',
    '',
    time,
    icon(PICTURES[event]),
    element('p', '', ...(name === null ? [] : [element('strong', '', appText(name)), ' ']), printable(text), ...(detail === '' ? [] : [' ', element('span', 'reason', appText(detail))])),
  );
}
