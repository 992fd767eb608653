import { badge, byId, fact, printable, setText, when, type Badge } from './elements';
import { isUpdating, thingsWaiting, type Known, type Lock } from './known';
import type { Connection } from './stream';
import { atTime } from './times';

/** Up to how many characters the summary is shown in the largest letters, and in the next smaller ones. */
const SHORT = 120;
const MIDDLE = 260;

const CONNECTIONS: Readonly<Record<Connection, Badge>> = {
  connecting: { icon: 'plug', word: 'Connecting', tone: 'off' },
  live: { icon: 'plug', word: 'Live', tone: 'good' },
  lost: { icon: 'unplugged', word: 'Connection lost', tone: 'bad' },
};

/** The answer to "why is my device not updating?": the sidecar's summary as it is, and its times once more in the reader's zone. */
export class StateView {
  readonly #section = byId('state', HTMLElement);
  readonly #announced = byId('announced', HTMLElement);
  readonly #badge = byId('badge', HTMLElement);
  readonly #summary = byId('summary', HTMLElement);
  readonly #notice = byId('notice', HTMLElement);
  readonly #facts = byId('state-facts', HTMLElement);
  readonly #device = byId('device', HTMLElement);
  readonly #connection = byId('connection', HTMLElement);
  /** What was announced last. */
  #news = '';

  render(known: Known, connection: Connection, lostAtMs: number, nowMs: number): void {
    const { lock } = known;
    const state = badgeOf(known);
    const summary = lock === null ? this.#summary.textContent : printable(lock.summary);
    this.#announceNews([connection, state.word, ...known.leases.keys()].join(' '), summary);
    this.#renderConnection(connection, lostAtMs, nowMs);
    if (lock === null) return;
    if (this.#badge.textContent !== state.word) {
      this.#badge.replaceChildren(badge(state));
      this.#section.className = state.tone;
    }
    const device = deviceName(lock);
    setText(this.#device, device);
    document.title = [connection === 'lost' ? 'Connection lost' : state.word, device, 'update-lock'].filter((part) => part !== '').join(' · ');
    setText(this.#summary, summary);
    this.#summary.className = summary.length <= SHORT ? 'short' : summary.length <= MIDDLE ? 'middle' : 'long';
    this.#renderFacts(known, nowMs);
  }

  /** Decides whether the changes of this turn are read out. A renewal changes the summary every minute, and is not worth an interruption. */
  #announceNews(news: string, summary: string): void {
    if (news !== this.#news) this.#announced.setAttribute('aria-live', 'polite');
    else if (summary !== this.#summary.textContent) this.#announced.setAttribute('aria-live', 'off');
    this.#news = news;
  }

  #renderConnection(connection: Connection, lostAtMs: number, nowMs: number): void {
    const { word } = CONNECTIONS[connection];
    if (this.#connection.textContent === word) return;
    this.#connection.replaceChildren(badge(CONNECTIONS[connection]));
    document.body.classList.toggle('lost', connection === 'lost');
    this.#notice.hidden = connection !== 'lost';
    setText(this.#notice, connection === 'lost' ? `The connection was lost at ${atTime(lostAtMs, nowMs, true)}. This page shows the last known state, and reconnects by itself.` : '');
  }

  #renderFacts(known: Known, nowMs: number): void {
    const { lock, update, end } = known;
    const heldSince = lock?.since ?? null;
    const waitingSince = update?.since ?? null;
    this.#facts.replaceChildren(
      ...(heldSince === null ? [] : [fact('Held since', ...when(heldSince, 'since', nowMs))]),
      ...(lock?.state === 'held' ? [fact('Until', ...(end === null ? ['it is released'] : when(end, 'until', nowMs)))] : []),
      ...(update === null || waitingSince === null ? [] : [fact('Waiting since', ...when(waitingSince, 'since', nowMs))]),
    );
  }
}

/** Without a name, the beginning of the device's id, as the dashboard shows it; empty if that is not known either. */
function deviceName({ device }: Lock): string {
  return printable(device?.name ?? device?.uuid?.slice(0, 7) ?? '');
}

/** One or two words. What a held lock means depends on whether an update is waiting. */
function badgeOf({ lock, update }: Known): Badge {
  if (lock !== null && isUpdating(lock)) return { icon: 'update', word: 'Updating', tone: 'calm' };
  switch (lock?.state) {
    case 'held':
      if (update?.draining === true) return { icon: 'alert', word: 'Draining', tone: 'bad' };
      return update?.pending === true
        ? { icon: 'hourglass', word: `Held, ${thingsWaiting(update)} waiting`, tone: 'warn' }
        : { icon: 'lock', word: 'Held', tone: 'calm' };
    case 'free':
      if (update?.draining === true) return { icon: 'alert', word: 'Draining', tone: 'bad' };
      return update?.pending === true
        ? { icon: 'hourglass', word: `Free, ${thingsWaiting(update)} waiting`, tone: 'good' }
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
