import { badge, byId, fact, setText, shown, when, type Badge } from './elements';
import { isUpdating, type Known } from './known';
import type { Connection } from './stream';
import { inLocalTime } from './summary';
import { atTime } from './times';

/** How long a sentence may be to be shown in the largest letters, and in the next; in characters. */
const SHORT = 120;
const MIDDLE = 260;

const CONNECTIONS: Readonly<Record<Connection, Badge>> = {
  connecting: { icon: 'plug', word: 'Connecting', tone: 'off' },
  live: { icon: 'plug', word: 'Live', tone: 'good' },
  lost: { icon: 'unplugged', word: 'Connection lost', tone: 'bad' },
};

/** The answer to "why is my device not updating?", in the first place. */
export class StateView {
  readonly #section = byId('state', HTMLElement);
  /** Read out when it changes. */
  readonly #told = byId('told', HTMLElement);
  readonly #badge = byId('badge', HTMLElement);
  readonly #summary = byId('summary', HTMLElement);
  readonly #notice = byId('notice', HTMLElement);
  readonly #facts = byId('state-facts', HTMLElement);
  readonly #connection = byId('connection', HTMLElement);
  #shownBadge = '';

  render(known: Known, connection: Connection, lostAtMs: number, nowMs: number): void {
    this.#renderConnection(connection, lostAtMs, nowMs);
    const { lock } = known;
    if (lock === null) return;
    const state = badgeOf(known);
    if (this.#shownBadge !== state.word) {
      this.#shownBadge = state.word;
      this.#tell(true);
      this.#badge.replaceChildren(badge(state));
      this.#section.className = state.tone;
    }
    document.title = `${connection === 'lost' ? 'Connection lost' : state.word} · update-lock`;
    const { since, expires, window } = lock;
    const instants = { since, expires, waitsSince: known.update?.since ?? null, opens: window?.opens ?? null };
    const text = inLocalTime(shown(lock.summary), instants, nowMs, (ms) => atTime(ms, nowMs));
    // Who renews every minute moves the end every minute: that is not worth interrupting anybody.
    const isNews = withoutTimes(text) !== withoutTimes(this.#summary.textContent);
    if (text !== this.#summary.textContent) this.#tell(isNews);
    setText(this.#summary, text);
    this.#summary.className = text.length <= SHORT ? 'short' : text.length <= MIDDLE ? 'middle' : 'long';
    const isForWindow = [...known.leases.keys()].every((name) => name === '@window');
    const ends = expires ?? (isForWindow ? instants.opens : null);
    this.#facts.replaceChildren(
      ...(lock.since === null ? [] : [fact('Held since', ...when(lock.since, 'since', nowMs))]),
      ...(lock.state !== 'held' ? [] : [fact('Until', ...(ends === null ? ['it is released'] : when(ends, 'until', nowMs)))]),
      ...(known.update?.since == null ? [] : [fact('Update waiting since', ...when(known.update.since, 'since', nowMs))]),
    );
  }

  /** Whether what changes next is read out. */
  #tell(isNews: boolean): void {
    this.#told.setAttribute('aria-live', isNews ? 'polite' : 'off');
  }

  #renderConnection(connection: Connection, lostAtMs: number, nowMs: number): void {
    const { word } = CONNECTIONS[connection];
    if (this.#connection.textContent === word) return;
    this.#tell(true);
    this.#connection.replaceChildren(badge(CONNECTIONS[connection]));
    document.body.classList.toggle('lost', connection === 'lost');
    this.#notice.hidden = connection !== 'lost';
    setText(this.#notice, connection === 'lost' ? `The connection was lost at ${atTime(lostAtMs, nowMs, true)}. This is how things stood then; the page connects again by itself.` : '');
  }
}

function withoutTimes(text: string): string {
  return text.replaceAll(/(?:\d{1,2} \w{3,4}(?: \d{4})?, )?\d\d:\d\d/g, '');
}

/** In one or two words; an update that waits changes what a lock that is held means. */
function badgeOf({ lock, update }: Known): Badge {
  if (lock !== null && isUpdating(lock)) return { icon: 'update', word: 'Updating', tone: 'calm' };
  switch (lock?.state) {
    case 'held':
      if (update?.draining === true) return { icon: 'alert', word: 'Draining', tone: 'bad' };
      return update?.pending === true
        ? { icon: 'hourglass', word: 'Held, update waits', tone: 'warn' }
        : { icon: 'lock', word: 'Held', tone: 'calm' };
    case 'free':
      if (update?.draining === true) return { icon: 'alert', word: 'Draining', tone: 'bad' };
      return update?.pending === true
        ? { icon: 'hourglass', word: 'Free, update waits', tone: 'good' }
        : { icon: 'open', word: 'Free', tone: 'good' };
    case 'foreign':
      return { icon: 'alert', word: 'Held by somebody else', tone: 'bad' };
    case 'cooldown':
      return { icon: 'clock', word: 'Cooling down', tone: 'warn' };
    case 'unavailable':
      return { icon: 'cross', word: 'Unavailable', tone: 'bad' };
    default:
      return { icon: 'plug', word: 'Connecting', tone: 'off' };
  }
}
