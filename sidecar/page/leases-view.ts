import { releaseLease } from './api';
import { appText, byId, element, fact, icon, setText, when } from './elements';
import type { IconName } from './icons';
import type { Known, Lease } from './known';
import type { Asking } from './question';

const KINDS: Readonly<Record<Lease['kind'], readonly [IconName, string]>> = {
  timed: ['clock', 'for a set time'],
  connection: ['plug', 'while connected'],
  builtin: ['shield', 'by the sidecar itself'],
};

const UNKNOWN_ENDS: Readonly<Record<Lease['kind'], string>> = {
  timed: 'it is released',
  connection: 'its connection closes',
  builtin: 'further notice',
};

/** What ends leases of the sidecar's own; the summary says when, where that is known. */
const OWN_ENDS: Readonly<Record<string, string>> = { '@soak': 'the soak ends', '@tags': 'the hold by tag ends' };

function unknownEnd({ name, kind }: Lease): string {
  return name.startsWith('@probe-') ? 'its next answer at the earliest' : (OWN_ENDS[name] ?? UNKNOWN_ENDS[kind]);
}

interface Row {
  readonly item: HTMLLIElement;
  /** Name and reason. */
  readonly holder: HTMLElement;
  readonly facts: HTMLElement;
  lease: Lease;
  end: string | null;
}

/** The holders and their reasons, oldest first. Rows stay the same elements, so that the focus stays where it is. */
export class LeasesView {
  readonly #list = byId('leases', HTMLElement);
  readonly #count = byId('lease-count', HTMLElement);
  readonly #nobody = byId('nobody', HTMLElement);
  readonly #heading = byId('leases-title', HTMLElement);
  readonly #rows = new Map<string, Row>();

  constructor(private readonly asking: Asking) {}

  render(known: Known, nowMs: number): void {
    const { leases } = known;
    for (const [key, { item }] of this.#rows) {
      if (leases.has(key)) continue;
      if (item.contains(document.activeElement)) this.#heading.focus();
      item.remove();
      this.#rows.delete(key);
    }
    for (const lease of leases.values()) {
      const row = this.#rows.get(lease.name);
      const end = known.endOf(lease);
      if (row === undefined) this.#add(lease, end, nowMs);
      else if (row.lease !== lease || row.end !== end) this.#fill(row, lease, end, nowMs);
    }
    setText(this.#count, String(leases.size));
    this.#nobody.hidden = leases.size > 0;
  }

  #add(lease: Lease, end: string | null, nowMs: number): void {
    const [holder, facts] = [element('div'), element('div', 'rest')];
    const row: Row = { item: element('li', 'lease', holder), holder, facts, lease, end };
    this.#fill(row, lease, end, nowMs);
    if (lease.kind !== 'builtin') row.item.append(this.#button(lease.name));
    row.item.append(facts);
    this.#rows.set(lease.name, row);
    this.#list.append(row.item);
  }

  #fill(row: Row, lease: Lease, end: string | null, nowMs: number): void {
    const { name, reason, kind, since, expires, ttlSeconds, renewals, peer } = lease;
    row.lease = lease;
    row.end = end;
    row.holder.replaceChildren(element('h3', 'name', appText(name)), ...(reason === '' ? [] : [element('p', 'reason', appText(reason))]));
    const [picture, word] = KINDS[kind];
    row.facts.replaceChildren(
      element(
        'dl',
        'facts',
        fact('Since', ...when(since, 'since', nowMs)),
        fact('Until', ...(end === null ? [unknownEnd(lease)] : when(end, 'until', nowMs))),
        fact('Held', element('span', 'kind', icon(picture), word)),
        ...(kind === 'builtin' ? [] : [fact('Requested from', peer === 'unix' ? 'the Unix socket' : appText(peer))]),
        ...(renewals === 0 ? [] : [fact('Renewed', renewals === 1 ? 'once' : `${String(renewals)} times`)]),
      ),
      ...(expires === null || ttlSeconds === null ? [] : [timeLeft(expires, ttlSeconds * 1000)]),
    );
  }

  #button(name: string): HTMLButtonElement {
    const button = element('button', 'quiet', 'Release…');
    button.type = 'button';
    button.setAttribute('aria-label', `Release ${name}…`);
    button.addEventListener('click', () => {
      this.asking.ask({
        title: `Release ${name}?`,
        text: 'The app may not notice, and an update may then interrupt its work.',
        yes: 'Release',
        tokenName: 'API token',
        alwaysNeedsToken: false,
        affected: () => [{ name, reason: this.#rows.get(name)?.lease.reason ?? '' }],
        act: () => releaseLease(name),
        after: this.#heading,
      });
    });
    return button;
  }
}

/** How much of its time a lease has left, as a bar; the text beside it says the same. */
function timeLeft(expires: string, ttlMs: number): HTMLElement {
  const bar = element('span', 'bar', element('span'));
  bar.setAttribute('aria-hidden', 'true');
  const fill = bar.firstElementChild as HTMLElement;
  fill.dataset['until'] = String(Date.parse(expires));
  fill.dataset['lasts'] = String(ttlMs);
  return bar;
}
