import { releaseLease } from './api';
import { byId, element, fact, icon, said, setText, when } from './elements';
import type { IconName } from './icons';
import type { Known, Lease } from './known';
import type { Asking } from './question';

const KINDS: Readonly<Record<Lease['kind'], readonly [IconName, string]>> = {
  timed: ['clock', 'for a time'],
  connection: ['plug', 'while connected'],
  builtin: ['shield', "the sidecar's own"],
};

interface Row {
  readonly item: HTMLLIElement;
  /** Name and reason. */
  readonly who: HTMLElement;
  readonly facts: HTMLElement;
  lease: Lease;
}

/** Who holds the lock, and why, oldest first. Rows stay the same elements, so that the focus stays where it is. */
export class LeasesView {
  readonly #list = byId('leases', HTMLElement);
  readonly #count = byId('lease-count', HTMLElement);
  readonly #nobody = byId('nobody', HTMLElement);
  readonly #heading = byId('leases-title', HTMLElement);
  readonly #rows = new Map<string, Row>();

  constructor(private readonly asking: Asking) {}

  render({ leases }: Known, nowMs: number): void {
    for (const [key, { item }] of this.#rows) {
      if (leases.has(key)) continue;
      if (item.contains(document.activeElement)) this.#heading.focus();
      item.remove();
      this.#rows.delete(key);
    }
    for (const lease of leases.values()) {
      const row = this.#rows.get(lease.name);
      if (row === undefined) this.#add(lease, nowMs);
      else if (row.lease !== lease) this.#fill(row, lease, nowMs);
    }
    setText(this.#count, String(leases.size));
    this.#nobody.hidden = leases.size > 0;
  }

  #add(lease: Lease, nowMs: number): void {
    const [who, facts] = [element('div', 'who'), element('div', 'rest')];
    const row: Row = { item: element('li', 'lease', who), who, facts, lease };
    this.#fill(row, lease, nowMs);
    if (!lease.name.startsWith('@')) row.item.append(this.#button(lease.name));
    row.item.append(facts);
    this.#rows.set(lease.name, row);
    this.#list.append(row.item);
  }

  #fill(row: Row, lease: Lease, nowMs: number): void {
    const { name, reason, kind, since, expires, ttlSeconds, renewals, peer } = lease;
    row.lease = lease;
    row.who.replaceChildren(element('h3', 'name', said(name)), ...(reason === '' ? [] : [element('p', 'reason', said(reason))]));
    const [picture, word] = KINDS[kind];
    row.facts.replaceChildren(
      element(
        'dl',
        'facts',
        fact('Since', ...when(since, 'since', nowMs)),
        fact('Until', ...(expires === null ? [endOf(lease)] : when(expires, 'until', nowMs))),
        fact('Held', element('span', 'kind', icon(picture), word)),
        ...(kind === 'builtin' ? [] : [fact('Asked by', peer === 'unix' ? 'the Unix socket' : said(peer))]),
        ...(renewals === 0 ? [] : [fact('Renewed', renewals === 1 ? 'once' : `${String(renewals)} times`)]),
      ),
      ...(expires === null || ttlSeconds === null ? [] : [rest(expires, ttlSeconds * 1000)]),
    );
  }

  #button(name: string): HTMLButtonElement {
    const button = element('button', 'quiet', 'Release…');
    button.type = 'button';
    button.setAttribute('aria-label', `Release ${name}…`);
    button.addEventListener('click', () => {
      this.asking.ask({
        title: `Release ${name}?`,
        text: 'It goes on as if it held the lock, and an update may begin in the middle of what it does. Cut off is:',
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

function endOf({ name, kind }: Lease): string {
  if (name === '@window') return 'a window opens';
  return kind === 'connection' ? 'its connection ends' : kind === 'builtin' ? 'its reason ends' : 'it is released';
}

/** How much of its time a lease has left, for the eye; in words it is beside it. */
function rest(expires: string, ttlMs: number): HTMLElement {
  const bar = element('span', 'bar', element('span'));
  bar.setAttribute('aria-hidden', 'true');
  const fill = bar.firstElementChild as HTMLElement;
  fill.dataset['until'] = String(Date.parse(expires));
  fill.dataset['lasts'] = String(ttlMs);
  return bar;
}
