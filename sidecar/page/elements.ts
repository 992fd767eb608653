import { ICONS, type IconName } from './icons';
import { ago, ahead, atTime } from './times';

/** All elements of the page are made here, and text never becomes markup. */

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = '', ...children: readonly (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

export function byId<T extends HTMLElement>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${id}`);
  return found;
}

/** Does not touch text that stays the same: a live region would announce it again. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** An app's text, with invisible characters and those that change its direction replaced by a visible one. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\uFFFD');
}

/** An app's text, isolated so that its direction does not affect the text around it. */
export function appText(text: string): HTMLElement {
  const isolated = element('bdi', '', printable(text));
  isolated.dir = 'auto';
  return isolated;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A decorative picture: the word beside it says the same. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** A state: a picture, a word, and a colour that `tone` chooses. */
export interface Badge {
  readonly icon: IconName;
  readonly word: string;
  readonly tone: 'good' | 'calm' | 'warn' | 'bad' | 'off';
}

export function badge({ icon: name, word, tone }: Badge): HTMLElement {
  return element('span', `badge ${tone}`, icon(name), word);
}

/** A term and its description. */
export function fact(term: string, ...description: readonly (Node | string)[]): HTMLElement {
  return element('div', 'fact', element('dt', '', term), element('dd', '', ...description));
}

/** An instant, absolute and relative. `tick` keeps both up to date: days pass, and the device's clock may not be known yet. */
export function when(instant: string, direction: 'since' | 'until', nowMs: number): (Node | string)[] {
  const ms = Date.parse(instant);
  const time = element('time', '', atTime(ms, nowMs));
  time.dateTime = instant;
  time.dataset['at'] = String(ms);
  time.title = new Date(ms).toString();
  const relative = element('span', 'relative');
  relative.dataset[direction] = String(ms);
  showRelative(relative, nowMs);
  return [time, ' ', relative];
}

/** Updates everything on the page that depends on the present time. */
export function tick(nowMs: number): void {
  for (const each of document.querySelectorAll<HTMLElement>('[data-since], [data-until]')) showRelative(each, nowMs);
  for (const each of document.querySelectorAll<HTMLElement>('[data-at]')) setText(each, atTime(Number(each.dataset['at']), nowMs, 'seconds' in each.dataset));
}

function showRelative(node: HTMLElement, nowMs: number): void {
  const { since, until, lasts } = node.dataset;
  if (until === undefined) setText(node, ago(Number(since), nowMs));
  else if (lasts === undefined) setText(node, ahead(Number(until), nowMs));
  else node.style.transform = `scaleX(${String(Math.min(1, Math.max(0, (Number(until) - nowMs) / Number(lasts))))})`;
}
