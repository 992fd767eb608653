import { badge, byId, element, fact, printable, when, type Badge } from './elements';
import type { Known, Lock } from './known';

const PATHS: Readonly<Record<Lock['paths'][number]['state'], Badge>> = {
  ours: { icon: 'lock', word: 'ours', tone: 'calm' },
  absent: { icon: 'open', word: 'absent', tone: 'good' },
  supervisor: { icon: 'update', word: "the Supervisor's", tone: 'calm' },
  foreign: { icon: 'alert', word: "somebody else's", tone: 'bad' },
};

/** The update window and the lock files. */
export class RestView {
  readonly #window = byId('window', HTMLElement);
  readonly #paths = byId('paths', HTMLElement);
  #lock: Lock | null = null;

  render({ lock }: Known, nowMs: number): void {
    if (lock !== null && lock !== this.#lock) {
      this.#lock = lock;
      this.#window.replaceChildren(...windowParts(lock.window, nowMs));
      this.#paths.replaceChildren(...pathItems(lock));
    }
  }
}

function windowParts(window: Lock['window'], nowMs: number): Node[] {
  if (window === null) {
    return [element('p', '', badge({ icon: 'calendar', word: 'Always open', tone: 'good' })), element('p', 'explanation', 'No windows are set: updates are allowed at any time.')];
  }
  const { open, opens, closes, frozen, timezone } = window;
  const state: Badge = frozen
    ? { icon: 'calendar', word: 'Frozen', tone: 'warn' }
    : open ? { icon: 'calendar', word: 'Open', tone: 'good' } : { icon: 'calendar', word: 'Closed', tone: 'warn' };
  return [
    element('p', '', badge(state)),
    element(
      'dl',
      'facts',
      ...(open ? [] : [fact('Opens', ...(opens === null ? ['no time is known'] : when(opens, 'until', nowMs)))]),
      ...(closes === null ? [] : [fact('Closes', ...when(closes, 'until', nowMs))]),
      fact('Time zone', printable(timezone)),
    ),
  ];
}

function pathItems({ paths, flock, state }: Lock): HTMLElement[] {
  const flocked = flock ? 'held' : state === 'held' ? 'not held' : 'not needed now';
  return [
    ...paths.map(({ path, state: standing }) => fact(printable(path), badge(PATHS[standing]))),
    fact('flock(2)', badge({ icon: flock ? 'lock' : state === 'held' ? 'alert' : 'open', word: flocked, tone: flock ? 'calm' : state === 'held' ? 'bad' : 'good' })),
  ];
}
